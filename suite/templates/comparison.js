(() => {
  "use strict";
  const rows = [...document.querySelectorAll(".row")];

  // Search by words of a rule.
  const search = document.getElementById("search");
  search.hidden = false;
  search.querySelector("input").addEventListener("input", (event) => {
    const words = event.target.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const row of rows) {
      const text = row.querySelector("details").textContent.toLowerCase();
      row.classList.toggle("unsought", !words.every((word) => text.includes(word)));
    }
  });

  // A link to a rule opens it.
  const reveal = () => {
    const row = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (row?.classList.contains("row")) {
      row.querySelector("details").open = true;
      row.scrollIntoView({ block: "center" });
    }
  };
  addEventListener("hashchange", reveal);
  reveal();
})();
