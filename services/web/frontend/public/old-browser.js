/* Plain old JavaScript, for browsers that cannot run the page: says so instead of staying empty. */
(function () {
  function tooOld() {
    return !(
      "noModule" in document.createElement("script") &&
      Array.prototype.at &&
      Object.hasOwn &&
      window.ResizeObserver &&
      window.WebSocket &&
      window.HTMLDialogElement &&
      (!window.CanvasRenderingContext2D || window.CanvasRenderingContext2D.prototype.roundRect)
    );
  }

  function say() {
    var app = document.getElementById("app");
    if (!app || app.getAttribute("data-started") === "true") {
      return;
    }
    var dark = window.matchMedia && window.matchMedia("(prefers-color-scheme: dark)").matches;
    document.documentElement.setAttribute("data-theme", dark ? "dark" : "light");
    var words = document.createElement("p");
    words.className = "too-old";
    words.setAttribute("role", "alert");
    words.setAttribute("data-testid", "too-old");
    words.appendChild(
      document.createTextNode(
        "This browser is too old to draw the map. With a current Firefox, Chrome, Edge or Safari it works. " +
          "The values are here: ",
      ),
    );
    var link = document.createElement("a");
    link.href = "/api/v1/export.csv";
    link.appendChild(document.createTextNode("CSV"));
    words.appendChild(link);
    app.appendChild(words);
  }

  if (tooOld()) {
    say();
  } else {
    /* What an old browser cannot even read ends without a word: the page then has not started. */
    window.addEventListener("load", function () {
      window.setTimeout(say, 5000);
    });
  }
})();
