'use strict';

const EMAIL = /^[A-Za-z0-9._-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$/;

const POSTCODES = {
  DE: /^\d{5}$/,
  FR: /^\d{5}$/,
  NL: /^\d{4}[A-Z]{2}$/,
};

function isEmail(text) {
  return EMAIL.test(text);
}

function isPostcode(text, country) {
  const pattern = POSTCODES[country];
  return pattern !== undefined && pattern.test(text);
}

/** The messages to show beside the fields of the checkout form. */
function checkoutErrors(form) {
  const errors = {};
  if (!form.name || !form.name.trim()) {
    errors.name = 'Please tell us your name';
  }
  if (!isEmail(form.email || '')) {
    errors.email = 'This is not an e-mail address';
  }
  if (!isPostcode(form.postcode || '', form.country)) {
    errors.postcode = 'This postcode does not exist in your country';
  }
  return errors;
}

module.exports = { isEmail, isPostcode, checkoutErrors };
