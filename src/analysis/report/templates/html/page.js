"use strict";
(() => {
  const read = (id) => JSON.parse(document.getElementById("data-" + id).textContent);
  const words = read("words"), facts = read("facts"), entries = read("search");
  const root = document.documentElement;
  const make = (tag, text, attributes) => {
    const node = document.createElement(tag);
    if (text) node.textContent = text;
    for (const name in attributes || {}) node.setAttribute(name, attributes[name]);
    return node;
  };

  // light and dark: the reader's system decides until the reader does
  const keep = (value) => { try { localStorage.setItem("theme", value); } catch { /* a file may not store */ } };
  let stored = null;
  try { stored = localStorage.getItem("theme"); } catch { /* none kept */ }
  if (stored === "light" || stored === "dark") root.dataset.theme = stored;
  document.getElementById("theme").addEventListener("click", () => {
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
    keep(root.dataset.theme);
  });

  // the same place in the other language
  const language = document.getElementById("language");
  if (language) language.addEventListener("click", () => { language.hash = location.hash; });

  // contents: folded on a narrow screen; marks the heading that is being read
  const fold = document.querySelector(".toc details");
  const wide = matchMedia("(min-width: 64rem)");
  const adapt = () => { fold.open = wide.matches; };
  adapt();
  wide.addEventListener("change", adapt);
  const marks = new Map([...document.querySelectorAll('.toc .now ol a[href^="#"]')].map((a) => [a.hash.slice(1), a]));
  const heads = [...document.querySelectorAll("main h2[id]")].filter((h) => marks.has(h.id));
  const follow = () => {
    const passed = heads.filter((h) => h.getBoundingClientRect().top < innerHeight * 0.3);
    const now = passed.length ? passed[passed.length - 1].id : null;
    for (const [id, a] of marks) {
      a.classList.toggle("here-now", id === now);
      if (id === now) a.setAttribute("aria-current", "location"); else a.removeAttribute("aria-current");
    }
  };
  let waiting = false;
  addEventListener("scroll", () => {
    if (!waiting) { waiting = true; requestAnimationFrame(() => { waiting = false; follow(); }); }
  }, { passive: true });
  follow();

  // tables: sort the body rows of each run among themselves; totals stay where they are
  const key = (row, index) => {
    const given = row.cells[index] ? row.cells[index].dataset.sort : undefined;
    return given === undefined ? null : given;
  };
  const compare = (a, b) => {
    const x = Number(a), y = Number(b);
    return Number.isNaN(x) || Number.isNaN(y) ? a.localeCompare(b, root.lang) : x - y;
  };
  for (const button of document.querySelectorAll("button.sort")) {
    button.addEventListener("click", () => {
      const head = button.closest("th"), table = head.closest("table"), index = head.cellIndex;
      const next = head.getAttribute("aria-sort") === "descending" ? "ascending" : "descending";
      for (const other of head.parentNode.cells) other.setAttribute("aria-sort", "none");
      head.setAttribute("aria-sort", next);
      for (const body of table.querySelectorAll("tbody.body")) {
        const rows = [...body.rows].map((row, place) => ({ row, place, value: key(row, index) }));
        rows.sort((a, b) => {
          if (a.value === null || b.value === null) return (a.value === null) - (b.value === null) || a.place - b.place;
          return (next === "ascending" ? 1 : -1) * compare(a.value, b.value) || a.place - b.place;
        });
        body.append(...rows.map((entry) => entry.row));
      }
    });
  }

  // numbers: one tab stop a table, arrows inside it
  for (const table of document.querySelectorAll("main table")) {
    const first = table.querySelector(".n");
    if (first) first.tabIndex = 0;
    table.addEventListener("keydown", (event) => {
      const cell = event.target.closest("td, th");
      if (!cell || !event.target.classList.contains("n")) return;
      const rows = [...table.rows], row = rows.indexOf(cell.parentNode);
      const step = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] }[event.key];
      if (!step) return;
      event.preventDefault();
      let r = row + step[0], c = cell.cellIndex + step[1];
      while (rows[r] && c >= 0 && c < rows[r].cells.length) {
        const target = rows[r].cells[c].querySelector(".n");
        if (target) { event.target.tabIndex = -1; target.tabIndex = 0; target.focus(); return; }
        r += step[0]; c += step[1];
      }
    });
  }

  // where does this number come from? Single quotes keep a shell from reading anything in the id; make takes it as typed.
  const traceCommand = (id) => "make trace ID='" + id.replaceAll("'", "'\\''") + "'";
  const card = document.getElementById("card");
  const line = (list, name, ...content) => {
    list.append(make("dt", words[name]));
    const value = make("dd");
    value.append(...content);
    list.append(value);
  };
  const shown = (id, origin) => {
    const fact = facts[id];
    if (!fact) return;
    card.replaceChildren();
    const close = make("button", "×", { type: "button", class: "close", "aria-label": words.close });
    close.addEventListener("click", () => card.close());
    card.append(close);
    card.append(make("h2", fact.name, { id: "card-name" }));
    card.append(make("p", fact.value, { class: "amount" }));
    if (fact.meaning) card.append(make("p", fact.meaning, { class: "meaning" }));
    const list = make("dl");
    line(list, "period", fact.period);
    for (const [name, value] of fact.slice || []) { list.append(make("dt", name)); list.append(make("dd", value)); }
    for (const part of ["numerator", "denominator"]) {
      if (fact[part]) line(list, part, fact[part].filter(Boolean).join(": "));
    }
    if (fact.formula) line(list, "formula", fact.formula);
    if (fact.interval) line(list, "interval", fact.interval + (fact.method ? " · " + fact.method : ""));
    if (fact.n) line(list, "n", fact.n);
    if (fact.sources) line(list, "sources", fact.sources.join(", "));
    if (fact.metric) line(list, "definition", make("a", fact.metric, { href: "index.html#metric-" + fact.metric }));
    const trace = make("div", "", { class: "trace" });
    const command = traceCommand(id);
    const copy = make("button", words.copy, { type: "button" });
    copy.addEventListener("click", async () => {
      try { await navigator.clipboard.writeText(command); copy.textContent = words.copied; } catch { getSelection().selectAllChildren(trace.firstChild); }
    });
    trace.append(make("code", command), copy);
    line(list, "trace", trace);
    card.append(list);
    card.showModal();
    const box = origin.getBoundingClientRect(), own = card.getBoundingClientRect(), gap = 8;
    if (innerWidth > 700) {
      const left = Math.min(Math.max(gap, box.left), innerWidth - own.width - gap);
      const below = box.bottom + gap, top = below + own.height < innerHeight ? below : Math.max(gap, box.top - own.height - gap);
      card.style.margin = "0";
      card.style.left = left + "px";
      card.style.top = top + "px";
    } else {
      card.style.margin = "auto auto .75rem";
      card.style.left = card.style.top = "";
    }
  };
  document.addEventListener("click", (event) => {
    const number = event.target.closest("[data-fact]");
    if (number) shown(number.dataset.fact, number);
    for (const dialog of document.querySelectorAll("dialog[open]")) if (event.target === dialog) dialog.close();
  });

  document.addEventListener("keydown", (event) => {
    if ((event.key === "Enter" || event.key === " ") && event.target.matches && event.target.matches(".n[role]")) {
      event.preventDefault();
      shown(event.target.dataset.fact, event.target);
    }
  });

  // search
  const search = document.getElementById("search"), query = document.getElementById("query");
  const results = document.getElementById("results"), found = document.getElementById("found");
  const index = entries.map((entry) => entry.slice(0, 5).join(" ").toLowerCase());
  const most = 40;
  const find = () => {
    const parts = query.value.toLowerCase().split(/\s+/).filter(Boolean);
    results.replaceChildren();
    found.textContent = "";
    if (!parts.length) return;
    const scored = [];
    index.forEach((text, place) => {
      if (!parts.every((part) => text.includes(part))) return;
      const title = entries[place][0].toLowerCase();
      const score = (title.startsWith(parts[0]) ? 0 : title.includes(parts[0]) ? 1 : 2) + { d: 0, s: 0.3, f: 0.6 }[entries[place][2]];
      scored.push([score, place]);
    });
    scored.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
    found.textContent = scored.length ? words.found.replace("{count}", scored.length.toLocaleString(root.lang)) : words.none;
    for (const [, place] of scored.slice(0, most)) {
      const [title, detail, kind, url] = entries[place];
      const link = make("a", "", { href: url });
      link.append(make("span", title, { class: "what" }), make("span", words[kind], { class: "kind" }));
      if (detail) link.append(make("span", detail, { class: "detail" }));
      link.addEventListener("click", () => search.close());
      const item = make("li");
      item.append(link);
      results.append(item);
    }
  };
  const open = () => { search.showModal(); query.select(); };
  document.getElementById("open-search").addEventListener("click", open);
  search.querySelector(".close").addEventListener("click", () => search.close());
  query.addEventListener("input", find);
  search.addEventListener("submit", (event) => {
    event.preventDefault();
    const first = results.querySelector("a");
    if (first) first.click();
  });
  search.addEventListener("keydown", (event) => {
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    event.preventDefault();
    const links = [query, ...results.querySelectorAll("a")];
    const next = links.indexOf(document.activeElement) + (event.key === "ArrowDown" ? 1 : -1);
    links[Math.min(Math.max(next, 0), links.length - 1)].focus();
  });
  addEventListener("keydown", (event) => {
    const typing = /^(input|textarea|select)$/i.test(event.target.tagName || "");
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey) { event.preventDefault(); open(); }
  });

  // a place inside a folded part is unfolded on arrival
  const arrive = () => {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    for (let part = target && target.closest("details"); part; part = part.parentElement.closest("details")) part.open = true;
  };
  addEventListener("hashchange", arrive);
  arrive();
})();
