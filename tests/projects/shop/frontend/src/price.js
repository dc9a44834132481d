'use strict';

const SYMBOLS = { EUR: '€', GBP: '£' };

/** 123456 → "€1,234.56" */
function formatPrice(cents, currency = 'EUR') {
  const symbol = SYMBOLS[currency];
  if (!symbol) {
    throw new RangeError(`unknown currency: ${currency}`);
  }
  const whole = Math.floor(cents / 100);
  const rest = cents % 100;
  return `${symbol}${groupThousands(whole)}.${rest}`;
}

function groupThousands(number) {
  return String(number).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** "12.50" or "12,50" → 1250 */
function parsePrice(text) {
  const normal = text.trim().replace(',', '.');
  if (!/^\d+(\.\d{1,2})?$/.test(normal)) {
    throw new RangeError(`not a price: ${text}`);
  }
  return Math.round(Number(normal) * 100);
}

module.exports = { formatPrice, parsePrice };
