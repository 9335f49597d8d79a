"use strict";
(() => {
  const root = document.documentElement;
  const themes = ["auto", "light", "dark"];
  const words = { auto: "as the system has them", light: "light", dark: "dark" };

  const remember = (key, value) => { try { localStorage.setItem(key, value); } catch { /* a file may have no storage */ } };
  const recall = (key) => { try { return localStorage.getItem(key); } catch { return null; } };

  // A colour as the page has it now: the style sheet is the one place of colours.
  const probe = document.createElement("span");
  probe.hidden = true;
  document.body.append(probe);
  const colour = (name) => { probe.style.color = `var(--${name})`; return getComputedStyle(probe).color; };

  const makeTheme = () => {
    const [ink, quiet, rule, bar] = ["ink", "quiet", "rule", "bar"].map(colour);
    const font = getComputedStyle(document.body).fontFamily;
    const heat = [colour("heat-low"), colour("heat-high")];
    const text = { font, fontSize: 11.5 };
    return {
      background: "transparent", font, padding: 2, view: { stroke: null },
      axis: { labelColor: quiet, labelFont: font, labelFontSize: 11.5, labelPadding: 6, domainColor: rule, tickColor: rule, gridColor: rule, gridOpacity: 0.7, tickSize: 4 },
      axisY: { domain: false, ticks: false },
      scale: { barBandPaddingInner: 0.36 },
      line: { strokeWidth: 2, strokeJoin: "round" },
      range: { category: [1, 2, 3, 4, 5, 6, 7].map((place) => colour(`series-${place}`)), heatmap: heat, ramp: heat },
      style: {
        band: { opacity: 0.18 }, filled: { opacity: 0.28 }, stack: { opacity: 0.9, stroke: colour("tile"), strokeWidth: 1 },
        point: { filled: true, size: 26, opacity: 1 }, small_point: { filled: true, size: 60, opacity: 0 }, lone_point: { filled: true, size: 9, opacity: 1 },
        immature: { color: colour("shade"), opacity: 0.16 },
        target: { color: quiet, strokeDash: [4, 4], strokeWidth: 1.2 },
        target_label: { ...text, color: quiet, align: "right", baseline: "bottom", dx: -2, dy: -3 },
        bars: { color: bar, cornerRadiusEnd: 2 }, columns: { color: bar, cornerRadiusEnd: 2 },
        interval: { color: ink, strokeWidth: 1.4 },
        value_label: { ...text, color: ink, align: "left", baseline: "middle", dx: 7 },
        cell: { cornerRadius: 2, stroke: colour("tile"), strokeWidth: 1.5 },
        cell_low: { ...text, color: colour("heat-low-ink") }, cell_high: { ...text, color: colour("heat-high-ink") },
      },
    };
  };

  const draw = (panel) => {
    const theme = makeTheme();
    for (const place of panel.querySelectorAll(".chart")) {
      const drawnAs = root.dataset.theme + matchMedia("(prefers-color-scheme: dark)").matches;
      if (place.dataset.drawnAs === drawnAs) continue;
      place.dataset.drawnAs = drawnAs;
      const spec = JSON.parse(place.closest(".tile").querySelector(".spec").textContent);
      const inner = document.createElement("div");
      place.replaceChildren(inner);
      // Expressions are interpreted and not compiled, so that the page needs no right to evaluate text.
      window.vegaEmbed(inner, spec, { mode: "vega-lite", renderer: "svg", actions: false, ast: true, config: theme, defaultStyle: false, tooltip: { disableDefaultStyle: true } })
        .catch((error) => { place.textContent = `This chart could not be drawn (${error.message}). Its values stand under it.`; });
    }
  };

  const panels = [...document.querySelectorAll(".panel")];
  const tabs = [...document.querySelectorAll("[role=tab]")];
  const show = (name) => {
    const shown = panels.find((panel) => panel.id === `panel-${name}`) ?? panels[0];
    for (const panel of panels) panel.hidden = tabs.length > 0 && panel !== shown;
    for (const tab of tabs) {
      const isShown = tab.getAttribute("aria-controls") === shown.id;
      tab.setAttribute("aria-selected", isShown);
      tab.tabIndex = isShown ? 0 : -1;
    }
    tabs.find((tab) => tab.tabIndex === 0)?.scrollIntoView({ block: "nearest", inline: "nearest" });
    if (shown) draw(shown);
  };
  const showNow = () => show(location.hash.slice(1));
  if (tabs.length) root.classList.add("tabbed");
  for (const [place, tab] of tabs.entries()) {
    tab.addEventListener("click", (event) => { event.preventDefault(); history.replaceState(null, "", tab.hash); showNow(); });
    tab.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      const next = tabs[(place + step + tabs.length) % tabs.length];
      next.click();
      next.focus();
    });
  }
  addEventListener("hashchange", showNow);
  addEventListener("beforeprint", () => panels.forEach((panel) => { panel.hidden = false; draw(panel); }));
  addEventListener("afterprint", showNow);

  const button = document.getElementById("theme");
  const setTheme = (theme) => {
    root.dataset.theme = theme;
    button.textContent = { auto: "Auto", light: "Light", dark: "Dark" }[theme];
    button.setAttribute("aria-label", `Colours: ${words[theme]}`);
    showNow();
  };
  button.hidden = false;
  document.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
  button.addEventListener("click", () => {
    const next = themes[(themes.indexOf(root.dataset.theme) + 1) % themes.length];
    remember("gnomon-theme", next);
    setTheme(next);
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", showNow);
  const asked = new URLSearchParams(location.search).get("theme") ?? recall("gnomon-theme");
  setTheme(themes.includes(asked) ? asked : "auto");
})();
