// A field that must repeat what its page names says so at once; the service looks again in any case.
function check(field) {
  const repeats = field.value.trim() === field.dataset.typed;
  field.setCustomValidity(field.value === "" || repeats ? "" : field.dataset.wrong);
}

document.addEventListener("input", (event) => {
  if (event.target.matches("[data-typed]")) check(event.target);
});
