// A file is sent to be looked at, and once more to be stored: the service keeps nothing in between.
const place = document.getElementById("upload");
const field = document.querySelector("[data-upload] input");
const token = document.querySelector("[data-upload]").dataset.csrf;
let sending = 0; // an answer that comes after another file was chosen is nobody's

async function send(to, file, waiting, table) {
  const turn = ++sending;
  place.setAttribute("aria-busy", "true");
  place.replaceChildren(Object.assign(document.createElement("p"), { textContent: waiting }));
  const asked = new URLSearchParams({ name: file.name, ...(table ? { table } : {}) });
  const headers = { "x-csrf-token": token, "hx-request": "true", "content-type": "application/octet-stream" };
  try {
    const answer = await fetch(`${to}?${asked}`, { method: "POST", body: file, headers });
    if (answer.headers.has("hx-redirect")) location.assign(answer.headers.get("hx-redirect")); // signed out meanwhile
    const text = await answer.text();
    if (turn === sending) show(text);
  } catch {
    if (turn === sending) say(place.dataset.lost);
  } finally {
    place.removeAttribute("aria-busy");
  }
}

function show(text) {
  place.innerHTML = text; // of our own templates, which escape what is in the file
  document.dispatchEvent(new CustomEvent("zhiyin:shown", { detail: { target: place } }));
}

function say(sentence) {
  const said = document.createElement("p");
  Object.assign(said, { className: "said bad", textContent: sentence });
  said.setAttribute("role", "alert");
  place.replaceChildren(said);
}

function look(table) {
  const file = field.files[0];
  if (!file) place.replaceChildren();
  else if (file.size > Number(place.dataset.most)) say(place.dataset.large);
  else send("/data/read", file, place.dataset.waiting, table);
}

field.addEventListener("change", () => look());
place.addEventListener("change", (event) => {
  if (event.target.matches("[data-as-table]")) look(event.target.value);
});
place.addEventListener("click", (event) => {
  const { store } = event.target.dataset;
  if (store !== undefined && field.files[0]) send("/data/store", field.files[0], place.dataset.storing, store);
  if (event.target.dataset.forget !== undefined) {
    field.value = "";
    place.replaceChildren();
    field.focus();
  }
});
