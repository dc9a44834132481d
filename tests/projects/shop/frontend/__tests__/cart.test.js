'use strict';

const cart = require('../src/cart');

const mug = { sku: 'MUG-01', price: 1250 };
const tee = { sku: 'TEE-01', price: 1990 };

describe('addItem', () => {
  test('puts one piece into the cart', () => {
    expect(cart.addItem([], mug)).toEqual([{ ...mug, quantity: 1 }]);
  });

  test('takes a quantity', () => {
    expect(cart.addItem([], { ...mug, quantity: 3 })[0].quantity).toBe(3);
  });

  test('keeps different items apart', () => {
    expect(cart.addItem(cart.addItem([], mug), tee)).toHaveLength(2);
  });

  test('adds to the quantity of an item that is there already', () => {
    const twice = cart.addItem(cart.addItem([], mug), mug);
    expect(twice).toEqual([{ ...mug, quantity: 2 }]);
  });

  test('leaves the old cart alone', () => {
    const before = Object.freeze([]);
    cart.addItem(before, mug);
    expect(before).toHaveLength(0);
  });
});

describe('setQuantity', () => {
  const two = [{ ...mug, quantity: 1 }, { ...tee, quantity: 1 }];

  test('changes the one item', () => {
    expect(cart.setQuantity(two, 'TEE-01', 4).map((line) => line.quantity)).toEqual([1, 4]);
  });

  test('takes an item out at zero', () => {
    expect(cart.setQuantity(two, 'TEE-01', 0)).toEqual([{ ...mug, quantity: 1 }]);
  });
});

describe('removeItem', () => {
  test('takes the item out', () => {
    expect(cart.removeItem([{ ...mug, quantity: 2 }], 'MUG-01')).toEqual([]);
  });

  test('ignores an item that is not there', () => {
    const one = [{ ...mug, quantity: 2 }];
    expect(cart.removeItem(one, 'TEE-01')).toEqual(one);
  });
});

describe('totals', () => {
  const full = [{ ...mug, quantity: 2 }, { ...tee, quantity: 1 }];

  test('counts pieces, not lines', () => {
    expect(cart.countPieces(full)).toBe(3);
  });

  test('adds up prices', () => {
    expect(cart.subtotal(full)).toBe(4490);
  });

  test('says how much is missing for free shipping', () => {
    expect(cart.missingForFreeShipping(full)).toBe(510);
  });
});
