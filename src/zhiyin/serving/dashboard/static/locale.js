// How numbers and dates are written: as the reader's browser does it, if that speaks the language of the page.
const page = document.documentElement.lang;
export const locale = navigator.languages.find((one) => one.startsWith(page.slice(0, 2))) ?? page;
