'use strict';

const { isEmail, isPostcode, checkoutErrors } = require('../src/validation');

describe('isEmail', () => {
  test('accepts a plain address', () => {
    expect(isEmail('jo@example.com')).toBe(true);
  });

  test('accepts a host with several parts', () => {
    expect(isEmail('jo.doe@mail.example.co.uk')).toBe(true);
  });

  test('accepts an address with a plus sign', () => {
    expect(isEmail('jo+shop@example.com')).toBe(true);
  });

  test('refuses an address without a host', () => {
    expect(isEmail('jo@')).toBe(false);
  });

  test('refuses blanks', () => {
    expect(isEmail('jo doe@example.com')).toBe(false);
  });
});

describe('isPostcode', () => {
  test('knows German postcodes', () => {
    expect(isPostcode('10115', 'DE')).toBe(true);
    expect(isPostcode('1011', 'DE')).toBe(false);
  });

  test('accepts the blank in a Dutch postcode', () => {
    expect(isPostcode('1012 AB', 'NL')).toBe(true);
  });
});

describe('checkoutErrors', () => {
  test('has a message for each wrong field', () => {
    const form = { name: ' ', email: 'jo', postcode: '1', country: 'DE' };
    expect(Object.keys(checkoutErrors(form))).toEqual(['name', 'email', 'postcode']);
  });
});
