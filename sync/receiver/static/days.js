// The two charts of a site's page. They draw what the table below them says, read from the table itself: there is one source.
"use strict";

(() => {
  const place = document.querySelector("[data-charts]");
  const rows = [...document.querySelectorAll("tr[data-day]")].reverse(); // the table has the newest first
  if (!place || rows.length < 2) return;

  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
  const font = `${0.8 * rem}px "Be Vietnam Pro", sans-serif`;
  const days = rows.map((row) => row.dataset.day);
  const positions = days.map((_, index) => index);
  const label = (index) => (days[index] ? `${days[index].slice(8)}/${days[index].slice(5, 7)}` : "");
  const hasData = (row) => row.querySelector("td[colspan]") === null;
  const series = {
    n: rows.map((row) => (hasData(row) ? Number(row.dataset.n) : null)),
    rate: rows.map((row) => (row.dataset.rate === "" ? null : Number(row.dataset.rate))),
  };

  const axis = (more) => ({
    font, stroke: colour("quiet"), grid: { stroke: colour("line"), width: 1 }, ticks: { show: false }, ...more,
  });
  const whole = (chart, splits) => splits.map((value) => (Number.isInteger(value) && label(value) ? label(value) : ""));
  const options = {
    n: { scale: [0, null], how: { fill: colour("leaf"), stroke: colour("leaf"), width: 0, points: { show: false },
      paths: uPlot.paths.bars({ size: [0.7, 2 * rem] }) } },
    rate: { scale: [0, 100], how: { stroke: colour("leaf"), width: 2, spanGaps: false,
      points: { show: true, size: 0.45 * rem, fill: colour("card"), stroke: colour("leaf") } } },
  };

  const draw = (name, target) => {
    const { scale, how } = options[name];
    const most = Math.max(1, ...series[name]);
    return new uPlot({
      width: target.clientWidth,
      height: 10 * rem,
      legend: { show: false },
      cursor: { show: false },
      padding: [0.5 * rem, 0.75 * rem, 0, 0],
      scales: {
        x: { time: false, range: [-0.6, positions.length - 0.4] },
        y: { range: [scale[0], scale[1] ?? most * 1.1] },
      },
      axes: [
        axis({ values: whole, size: 1.8 * rem, grid: { show: false }, space: 3.5 * rem, incrs: [1, 2, 5, 7, 14, 28, 56] }),
        axis({ size: 3 * rem, incrs: name === "rate" ? [25, 50] : [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000] }),
      ],
      series: [{}, how],
    }, [positions, series[name]], target);
  };

  const targets = [...place.querySelectorAll("[data-chart]")];
  document.fonts.ready.then(() => {
    place.hidden = false;
    const charts = targets.map((target) => draw(target.dataset.chart, target));
    const fit = () => charts.forEach((chart, index) => {
      const width = targets[index].clientWidth;
      if (width && width !== chart.width) chart.setSize({ width, height: chart.height });
    });
    new ResizeObserver(fit).observe(place);
    place.dataset.drawn = JSON.stringify(series); // what was drawn, for who wants to check
  });
})();
