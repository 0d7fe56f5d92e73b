// The shop's own script. A real website has the widget's tag in its page; here the key is in the address,
// so that one built page serves every workspace.

const wishes = new URLSearchParams(location.search);
const siteKey = wishes.get("site_key") ?? sessionStorage.getItem("site_key");

for (const name of ["lang", "dir"]) {
  const wish = wishes.get(name);
  if (wish) document.documentElement.setAttribute(name, wish);
}

if (siteKey) {
  sessionStorage.setItem("site_key", siteKey);
  const tag = document.createElement("script");
  tag.src = "/widget/rondo.js";
  tag.async = true;
  tag.dataset.siteKey = siteKey;
  document.head.append(tag);
} else {
  document.querySelector("#missing").hidden = false;
}

window.Rondo = window.Rondo ?? [];
for (const button of document.querySelectorAll("[data-ask]")) {
  const { ask, topic } = button.dataset;
  button.addEventListener("click", () => {
    window.Rondo.push((rondo) => {
      rondo.startConversation({ route: { type: ask }, answers: topic ? { topic } : {} });
    });
  });
}
