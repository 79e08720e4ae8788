// What htmx does not do: listening while the tab is looked at, IME, Enter to the next field, focus.
(function () {
  "use strict";
  var body = document.body;
  var away = document.getElementById("away");

  // This page anew, by its own address: what stands in the address bar may be where a form was sent.
  function again() { location.href = body.dataset.page || location.pathname; }

  // --- Live: only while somebody looks. A browser opens six connections to one address; a hidden tab must not hold one.
  var source = null;
  var misses = 0;
  function listen() {
    if (source || document.hidden || !body.dataset.live) return;
    source = new EventSource(body.dataset.live);
    source.addEventListener("change", function () {
      misses = 0;
      away.hidden = true;
      htmx.trigger(body, "live");
    });
    source.addEventListener("gone", function () { stop(); again(); });
    source.onerror = function () {
      misses += 1;
      if (misses > 1) away.hidden = false;
      if (source && source.readyState === 2) { stop(); setTimeout(listen, 3000); }
    };
  }
  function stop() { if (source) { source.close(); source = null; } }
  document.addEventListener("visibilitychange", function () { if (document.hidden) stop(); else listen(); });
  window.addEventListener("pagehide", stop);
  window.addEventListener("pageshow", function (e) { if (e.persisted) location.reload(); });
  listen();

  // A form has been sent and the page is being left: what it asked for by itself leads nowhere else any more. Without this a desk that
  // locks itself with the form (the applicant's own page) could end at the log-in.
  var leaving = null;
  function leave() {
    stop();
    clearTimeout(leaving);
    // A file is kept by the browser, and the page stays.
    leaving = setTimeout(function () { leaving = null; listen(); }, 3000);
  }
  // What a form keeps while it is typed into is kept no more once it was sent: it would come back as the next one's draft.
  body.addEventListener("htmx:beforeRequest", function (e) {
    var cause = e.detail.requestConfig && e.detail.requestConfig.triggeringEvent;
    if (e.detail.elt.dataset.sent && cause && cause.type !== "submit") e.preventDefault();
  });
  function isOwn(e) {
    var cause = (e.detail.requestConfig || e.detail).triggeringEvent;
    return cause && cause.type === "live";
  }
  // A piece in which somebody fills in something waits with renewing itself: what is typed there would be lost.
  function isFilledIn(piece) {
    var at = document.activeElement;
    var types = at && piece.contains(at) && at.matches("input:not([type=checkbox]):not([type=radio]), textarea, select");
    return types || piece.querySelector("details[open] form");
  }
  ["htmx:beforeRequest", "htmx:beforeOnLoad"].forEach(function (name) {
    body.addEventListener(name, function (e) { if (isOwn(e) && (leaving || isFilledIn(e.detail.elt))) e.preventDefault(); });
  });

  // Pieces that the page fetches by itself say so: they do not count as somebody at the desk.
  body.addEventListener("htmx:configRequest", function (e) {
    var cause = e.detail.triggeringEvent;
    if (cause && cause.type === "live") e.detail.headers[body.dataset.byItself] = "1";
  });
  body.addEventListener("htmx:sendError", function () { away.hidden = false; });

  // --- A piece that renews itself leaves the keyboard where it was.
  var place = null;
  var opened = [];
  function cssOf(it) {
    if (it.id) return "#" + CSS.escape(it.id);
    var css = it.tagName.toLowerCase();
    ["href", "name", "value"].forEach(function (key) {
      if (it.hasAttribute(key)) css += "[" + key + "=" + CSS.escape(it.getAttribute(key)) + "]";
    });
    return css;
  }
  body.addEventListener("htmx:beforeSwap", function (e) {
    var at = document.activeElement;
    place = null;
    opened = Array.prototype.map.call(e.detail.target.querySelectorAll("details[id][open]"), function (d) { return d.id; });
    if (!at || at === e.detail.target || !e.detail.target.contains(at)) return;
    var css = cssOf(at);
    place = { css: css, nth: Array.prototype.indexOf.call(document.querySelectorAll(css), at) };
  });
  body.addEventListener("htmx:afterSwap", function () {
    // What was unfolded stays so.
    opened.forEach(function (id) { var d = document.getElementById(id); if (d) d.open = true; });
    opened = [];
    var all = place && document.activeElement === body ? document.querySelectorAll(place.css) : [];
    var it = all[place ? place.nth : 0] || all[0];
    place = null;
    if (it) it.focus({ preventScroll: true });
  });

  // --- IME: what is being composed is neither searched for nor sent.
  var composing = false;
  document.addEventListener("compositionstart", function () { composing = true; }, true);
  document.addEventListener("compositionend", function (e) {
    composing = false;
    // The last input event came while composing: say it again for those who wait for it.
    e.target.dispatchEvent(new Event("input", { bubbles: true }));
  }, true);
  body.addEventListener("htmx:confirm", function (e) { if (composing) e.preventDefault(); });
  document.addEventListener("submit", function (e) { if (composing) { e.preventDefault(); e.stopImmediatePropagation(); } }, true);

  // --- Enter goes to the next field; a form is sent by its button (or Ctrl+Enter).
  function fields(form) {
    return Array.prototype.filter.call(form.querySelectorAll("input, select, textarea, button"), function (f) {
      return !f.disabled && f.type !== "hidden" && f.tabIndex >= 0 && f.offsetParent !== null && !f.closest("details:not([open])");
    });
  }
  document.addEventListener("keydown", function (e) {
    if (e.key !== "Enter" || e.isComposing || composing || e.keyCode === 229) return;
    var at = e.target;
    var form = at.form;
    if (at.dataset.picks && !e.ctrlKey) {
      e.preventDefault();
      wanted = at;
      pick();
      return;
    }
    if (!form || !form.hasAttribute("data-enter")) return;
    if (e.ctrlKey) { e.preventDefault(); form.requestSubmit(form.querySelector("button[data-ctrl]") || form.querySelector("button:not([type=button])")); return; }
    if (at.tagName === "BUTTON" || at.tagName === "TEXTAREA" || at.type === "submit") return;
    e.preventDefault();
    var all = fields(form);
    var next = all[all.indexOf(at) + 1];
    if (next) { next.focus(); if (next.select) next.select(); }
  });

  // --- Enter takes the first of what is offered: of what was offered for what stands in the box now, so who types fast waits.
  var wanted = null;
  function pick() {
    var list = wanted && document.getElementById(wanted.dataset.picks);
    if (!list || list.dataset.for !== wanted.value.trim()) return;
    var first = list.querySelector("button");
    wanted = null;
    if (first) first.click();
  }
  document.addEventListener("input", function () { wanted = null; });
  body.addEventListener("htmx:afterSettle", pick);

  // --- Arrow keys walk through what is offered.
  document.addEventListener("keydown", function (e) {
    if ((e.key !== "ArrowDown" && e.key !== "ArrowUp") || composing) return;
    var at = e.target;
    var list = at.dataset.picks ? document.getElementById(at.dataset.picks) : at.closest(".picks");
    if (!list) return;
    var all = Array.prototype.slice.call(list.querySelectorAll("button"));
    var to = all.indexOf(at) + (e.key === "ArrowDown" ? 1 : -1);
    e.preventDefault();
    if (all[to]) all[to].focus();
    else if (to < 0) { var box = document.querySelector("[data-picks=" + list.id + "]"); if (box) box.focus(); }
  });

  // --- A press counts once: two sends of one form are two cases.
  document.addEventListener("submit", function (e) {
    if (e.defaultPrevented) return;
    var form = e.target;
    if (form.dataset.sent) { e.preventDefault(); return; }
    if (form.method === "post") { leave(); form.dataset.sent = "1"; setTimeout(function () { delete form.dataset.sent; }, 3000); }
  });

  // --- What is typed is kept by the desk, sealed, with every pause, so that neither the lock nor the plug loses it. Nothing is kept in
  // the browser: its storage lies on the disk, and a locked screen must not hold it. PINs and passphrases are never sent along.
  var KEEP_AFTER = 700;
  var keptBox = document.getElementById("typed-before");
  var typedInto = [];
  var keeping = null;
  function boxes(form) {
    return Array.prototype.filter.call(form.elements, function (f) {
      return f.name && ["hidden", "password", "file", "submit", "button"].indexOf(f.type) < 0 && f.tagName !== "FIELDSET" && f.tagName !== "BUTTON";
    });
  }
  function isKept(form) {
    return form && body.dataset.page && form.method === "post" && !form.hasAttribute("hx-post") && !form.hasAttribute("data-loose") && boxes(form).length > 0;
  }
  // Which of the page's forms: where it goes, and what it is about where several go there.
  function keyOf(form) {
    var which = null;
    ["event", "field", "id", "number", "device"].forEach(function (name) {
      which = which || form.querySelector("button[name=" + name + "], input[type=hidden][name=" + name + "]");
    });
    return form.getAttribute("action") + "|" + (which ? which.value : "");
  }
  function isTick(f) { return f.type === "checkbox" || f.type === "radio"; }
  function isChanged(f) {
    if (isTick(f)) return f.checked !== f.defaultChecked;
    if (f.tagName === "SELECT") return Array.prototype.some.call(f.options, function (o) { return o.selected !== o.defaultSelected; });
    return f.value !== f.defaultValue;
  }
  function keep(last) {
    clearTimeout(keeping);
    keeping = null;
    var forms = {};
    typedInto.forEach(function (form) {
      // What was sent is the desk's to keep or to let go of; what is as the page was made is let go of.
      if (form.dataset.sent) return;
      var said = boxes(form).filter(function (f) { return !isTick(f) || f.checked; });
      forms[keyOf(form)] = boxes(form).some(isChanged) ? said.map(function (f) { return [f.name, f.value]; }) : [];
    });
    if (Object.keys(forms).length === 0) return;
    var headers = JSON.parse(body.getAttribute("hx-headers"));
    headers["HX-Request"] = "true";
    headers["HX-Current-URL"] = location.origin + body.dataset.page;
    var said = new URLSearchParams({ page: body.dataset.page.split("?")[0], forms: JSON.stringify(forms) });
    fetch("/kept", { method: "POST", headers: headers, body: said, keepalive: last }).then(isOpen, function () {});
  }
  // Typing is work, and keeps the desk open: said seldom, and only while keys are pressed.
  var told = Date.now();
  function isOpen(answer) { if (answer.status !== 204) again(); }
  function awake() {
    if (!body.dataset.page || Date.now() - told < Number(body.dataset.awake) * 1000) return;
    told = Date.now();
    fetch("/awake", { headers: { "HX-Request": "true" } }).then(isOpen, function () {});
  }
  document.addEventListener("keydown", awake);
  document.addEventListener("input", function (e) {
    awake();
    var form = e.target.form;
    if (!isKept(form)) return;
    if (typedInto.indexOf(form) < 0) typedInto.push(form);
    clearTimeout(keeping);
    keeping = setTimeout(keep, KEEP_AFTER, false);
  });
  window.addEventListener("pagehide", function () { if (keeping) keep(true); });

  function putBack(form, pairs) {
    var left = pairs.slice();
    boxes(form).forEach(function (f) {
      var at = left.findIndex(function (p) { return p[0] === f.name && (!isTick(f) || p[1] === f.value); });
      if (isTick(f)) f.checked = at >= 0;
      else if (at >= 0) f.value = left[at][1];
      if (at >= 0) left.splice(at, 1);
      for (var fold = f.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
    });
    typedInto.push(form);
  }
  if (keptBox) {
    var kept = JSON.parse(keptBox.dataset.kept);
    Array.prototype.forEach.call(document.forms, function (form) {
      var key = keyOf(form);
      if (!isKept(form) || !kept[key]) return;
      putBack(form, kept[key]);
      keptBox.hidden = false;
      delete kept[key];
    });
    // A step that is gone: its words are shown at least.
    var words = ["note", "reason", "task", "value", "more_items"];
    var list = document.querySelector("#kept-words ul");
    Object.keys(kept).forEach(function (key) {
      kept[key].forEach(function (pair) {
        if (words.indexOf(pair[0]) < 0 || !pair[1].trim()) return;
        var line = list.appendChild(document.createElement("li"));
        line.textContent = pair[1];
        list.parentElement.hidden = keptBox.hidden = false;
      });
    });
  }

  // --- Focus: where the page says work begins.
  function focus(root) {
    var first = root.querySelector("[data-focus]");
    if (first && document.activeElement !== first) first.focus();
  }
  focus(document);
  body.addEventListener("htmx:afterSettle", function (e) {
    var cause = e.detail.requestConfig && e.detail.requestConfig.triggeringEvent;
    if (!cause || cause.type !== "click") return;
    var mark = document.querySelector("#" + e.detail.elt.id + "[data-then], #" + e.detail.elt.id + " [data-then]");
    var then = mark && document.getElementById(mark.dataset.then);
    if (then) then.focus();
    else focus(e.detail.elt);
  });
  // --- A file is sent as it is; what comes back is shown where the box says. Chosen again, even the same file is sent again.
  document.addEventListener("change", function (e) {
    var box = e.target;
    if (!box.dataset.send || !box.files || !box.files[0]) return;
    var answer = document.getElementById(box.dataset.answer);
    var headers = JSON.parse(body.getAttribute("hx-headers"));
    headers["Content-Type"] = "application/octet-stream";
    headers["HX-Request"] = "true";
    answer.setAttribute("aria-busy", "true");
    var along = box.dataset.along && document.getElementById(box.dataset.along);
    var to = box.dataset.send + (along ? "?" + along.name + "=" + encodeURIComponent(along.value) : "");
    fetch(to, { method: "POST", headers: headers, body: box.files[0] }).then(function (got) {
      if (got.headers.get("hx-redirect")) { again(); return ""; }
      if (got.status === 413) return "<p class=\"note amber\">" + box.dataset.tooLarge + "</p>";
      return got.text();
    }).then(function (html) {
      // A whole page (a refusal, the log-in) is gone to; a piece is shown.
      if (html.indexOf("<html") >= 0) { location.reload(); return; }
      answer.innerHTML = html;
      htmx.process(answer);
      answer.removeAttribute("aria-busy");
      var next = answer.querySelector("button");
      if (next) next.focus();
    }, function () { away.hidden = false; });
  });
  document.addEventListener("click", function (e) {
    if (e.target.dataset && e.target.dataset.send) e.target.value = "";
    var press = e.target.closest("[data-print]");
    if (press) window.print();
  });
  // --- A paper goes to the printer once the trail has it: then it comes back marked.
  if (document.querySelector(".paper")) body.classList.add("on-paper");
  body.addEventListener("htmx:afterSettle", function (e) {
    if (e.detail.elt.id === "paper" && e.detail.elt.querySelector("[data-print-now]")) window.print();
  });
})();
