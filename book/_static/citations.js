/* Citations: the reference stands beside a citation while the pointer or the keyboard is on it.

   Sphinx puts the text of the reference into the link's title, which stays where scripts do not
   run. Nothing is asked for. The preview can be left, read with the pointer on it, and closed with
   Escape (WCAG 2.2, 1.4.13). */
(() => {
  "use strict";
  const LINGER = 200; // ms that the pointer has to get from the citation to the preview
  const GAP = 6; // px between the two
  const links = document.querySelectorAll('a[href*="bibliography.html#"][title]');
  if (!links.length) return;

  const preview = document.createElement("div");
  preview.id = "citation-preview";
  preview.setAttribute("role", "tooltip");
  preview.hidden = true;
  document.body.append(preview);
  let shown = null;
  let leaving = 0;

  const show = (link) => {
    clearTimeout(leaving);
    if (shown === link) return;
    hide();
    shown = link;
    preview.textContent = link.dataset.reference;
    link.setAttribute("aria-describedby", preview.id);
    preview.hidden = false;
    const at = [...link.getClientRects()].pop();
    const width = document.documentElement.clientWidth;
    const { width: wide, height: high } = preview.getBoundingClientRect();
    const below = at.bottom + GAP + high <= window.innerHeight || at.top < high + GAP;
    const left = Math.min(Math.max(GAP, at.left), Math.max(GAP, width - wide - GAP));
    preview.style.left = `${left + window.scrollX}px`;
    preview.style.top = `${(below ? at.bottom + GAP : at.top - GAP - high) + window.scrollY}px`;
  };
  const hide = () => {
    clearTimeout(leaving);
    shown?.removeAttribute("aria-describedby");
    shown = null;
    preview.hidden = true;
  };
  const leave = () => {
    clearTimeout(leaving);
    leaving = setTimeout(hide, LINGER);
  };

  for (const link of links) {
    link.dataset.reference = link.title;
    link.removeAttribute("title"); // or the browser would show it a second time
    link.addEventListener("pointerenter", () => show(link));
    link.addEventListener("pointerleave", leave);
    link.addEventListener("focus", () => show(link));
    link.addEventListener("blur", hide);
  }
  preview.addEventListener("pointerenter", () => clearTimeout(leaving));
  preview.addEventListener("pointerleave", leave);
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") hide();
  });
})();
