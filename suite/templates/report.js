(() => {
  "use strict";
  const rules = [...document.querySelectorAll(".rule")];

  // Search by words of a rule.
  const search = document.getElementById("search");
  if (search) {
    search.hidden = false;
    search.querySelector("input").addEventListener("input", (event) => {
      const words = event.target.value.toLowerCase().split(/\s+/).filter(Boolean);
      for (const rule of rules) {
        const text = rule.querySelector("summary").textContent.toLowerCase();
        rule.classList.toggle("unsought", !words.every((word) => text.includes(word)));
      }
    });
  }

  // A button beside every command.
  for (const command of document.querySelectorAll(".curl")) {
    if (!navigator.clipboard) break;
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "copy";
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(command.querySelector("code").textContent);
      button.textContent = "copied";
      setTimeout(() => { button.textContent = "copy"; }, 1500);
    });
    command.append(button);
  }

  // A link to a rule opens it.
  const reveal = () => {
    const rule = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (rule instanceof HTMLDetailsElement) {
      rule.open = true;
      rule.scrollIntoView();
    }
  };
  addEventListener("hashchange", reveal);
  reveal();
})();
