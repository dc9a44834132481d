'use strict';

// A cart is an array of { sku, price, quantity }, prices in cents. Functions
// return a new cart and leave the one they were given alone.

const FREE_SHIPPING_FROM = 5000;

/** Puts an item into the cart; one that is there already gets more pieces. */
function addItem(cart, item) {
  return [...cart, { quantity: 1, ...item }];
}

/** Sets the number of pieces; 0 takes the item out. */
function setQuantity(cart, sku, quantity) {
  return cart.map((line) => (line.sku === sku ? { ...line, quantity } : line));
}

function removeItem(cart, sku) {
  return cart.filter((line) => line.sku !== sku);
}

function countPieces(cart) {
  return cart.reduce((sum, line) => sum + line.quantity, 0);
}

function subtotal(cart) {
  return cart.reduce((sum, line) => sum + line.price * line.quantity, 0);
}

/** Cents still missing until shipping is free. */
function missingForFreeShipping(cart) {
  return Math.max(0, FREE_SHIPPING_FROM - subtotal(cart));
}

module.exports = {
  addItem,
  setQuantity,
  removeItem,
  countPieces,
  subtotal,
  missingForFreeShipping,
};
