(function () {
  "use strict";
  function each(what, does, within) { (within || document).querySelectorAll(what).forEach(does); }
  function reveal() {
    var wanted = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    each(".found", function (e) { e.classList.remove("found"); });
    if (!wanted) { return; }
    for (var e = wanted; e; e = e.parentElement) { if (e.tagName === "DETAILS") { e.open = true; } }
    wanted.classList.add("found");
    wanted.scrollIntoView({block: "start"});
  }
  addEventListener("hashchange", reveal);
  document.addEventListener("click", function (event) {
    var link = event.target.closest("a[href^='#']");
    if (link && link.getAttribute("href") === location.hash) { reveal(); }
  });
  reveal();

  var form = document.getElementById("filter");
  function words(text) { return (text || "").split(" ").filter(Boolean); }
  function filter() {
    var layer = form.layer.value, state = form.state.value, part = form.table.value.trim().toLowerCase();
    function named(name) { return (!layer || name.indexOf(layer + ".") === 0) && name.indexOf(part) >= 0; }
    function has(e) { return !state || words(e.dataset.has).indexOf(state) >= 0; }
    var shown = 0, all = 0;
    each("tr[data-table], details.table", function (e) {
      var out = !named(e.dataset.table) || !has(e);
      e.classList.toggle("out", out);
      if (e.tagName === "TR") { all += 1; shown += !out; }
    });
    each("tbody[data-layer]", function (e) { e.classList.toggle("out", !e.querySelector("tr[data-table]:not(.out)")); });
    each("details.day", function (e) {
      var some = !layer && !part || words(e.dataset.tables).some(named);
      e.classList.toggle("out", !has(e) || !some);
    });
    form.querySelector("output").textContent = shown === all ? "" : shown + " of " + all + " tables";
  }
  form.addEventListener("input", filter);
  form.addEventListener("submit", function (event) { event.preventDefault(); });
  form.hidden = false;
  filter();

  each(".sql button", function (button) {
    button.hidden = false;
    button.addEventListener("click", function () {
      var text = button.parentElement.querySelector("pre"), range = document.createRange();
      range.selectNodeContents(text);
      getSelection().removeAllRanges();
      getSelection().addRange(range);
      function tell(said) { button.textContent = said; }
      function other() { tell(document.execCommand("copy") ? "Copied" : "Selected: copy it"); }
      if (!navigator.clipboard) { other(); return; }
      navigator.clipboard.writeText(text.textContent).then(function () { tell("Copied"); }, other);
    });
  });
})();
