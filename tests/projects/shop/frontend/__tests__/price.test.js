'use strict';

const { formatPrice, parsePrice } = require('../src/price');

describe('formatPrice', () => {
  test('shows euros and cents', () => {
    expect(formatPrice(1250)).toBe('€12.50');
  });

  test('groups thousands', () => {
    expect(formatPrice(123456)).toBe('€1,234.56');
  });

  test('knows pounds', () => {
    expect(formatPrice(1999, 'GBP')).toBe('£19.99');
  });

  test('refuses an unknown currency', () => {
    expect(() => formatPrice(100, 'XXX')).toThrow('unknown currency: XXX');
  });

  test('pads cents below ten', () => {
    expect(formatPrice(1205)).toBe('€12.05');
  });

  test('shows both zeros of a whole amount', () => {
    expect(formatPrice(1000)).toBe('€10.00');
  });

  test('shows a refund with its sign in front', () => {
    expect(formatPrice(-1250)).toBe('-€12.50');
  });
});

describe('parsePrice', () => {
  test('reads a decimal point', () => {
    expect(parsePrice('12.50')).toBe(1250);
  });

  test('reads a decimal comma', () => {
    expect(parsePrice(' 0,29 ')).toBe(29);
  });

  test('refuses what is not a price', () => {
    expect(() => parsePrice('free')).toThrow('not a price: free');
  });
});
