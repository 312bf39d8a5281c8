// Shows where one is in the navigation; closes an open menu by Escape and by a click beside it.

const here = document.querySelector(".nav [aria-current]");
const nav = document.querySelector(".nav");

const menu = document.querySelector(".menu");

if (here) nav.scrollLeft = here.offsetLeft - (nav.clientWidth - here.offsetWidth) / 2;

if (menu) {
  document.addEventListener("click", (event) => {
    if (!menu.contains(event.target)) menu.open = false;
  });
  menu.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !menu.open) return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });
}
