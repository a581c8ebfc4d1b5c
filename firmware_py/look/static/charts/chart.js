// Draws a chart from a table that stands in the page. The table *is* the data: without JavaScript it is read as it is,
// and when a script changes its cells the chart follows by itself.
//
//   <figure class="chart" data-chart>
//     <figcaption>Lượt đánh giá theo giờ</figcaption>
//     <p data-empty hidden>Chưa có dữ liệu</p>             shown instead of the plot while all is empty or zero
//     <details><summary>Xem bảng số liệu</summary>
//       <table>
//         <thead><tr><th scope="col">Ngày</th>
//           <th scope="col" data-draw="bars" data-colour="sage">Số lượt</th>
//           <th scope="col" data-draw="line" data-colour="leaf" data-max="100" data-unit=" %">Tỷ lệ</th></tr></thead>
//         <tbody>
//           <tr><th scope="row" data-label="23/11">23/11/2026</th>
//             <td data-value="143">143</td><td data-value="87.4">87 %</td></tr>
//         </tbody>
//       </table></details>
//   </figure>
//
// A column with `data-draw` is drawn, as bars or as a line, on a scale of its own; `data-colour` is the name of one of
// base.css's colours, `data-max` fixes the scale's end, `data-unit` stands behind its numbers. A cell's number is its
// `data-value` (left out or empty: no data, which is a gap and not a zero); the words shown are the cell's own text. A row's name on
// the axis is `data-label`, else its text. A page needs `{% include "look/chart_head.html" %}` in its head, and no more.
"use strict";

(() => {
  const HEIGHT_REM = 11;
  const TEXT_REM = 0.8125;
  const NAME_STEPS = [1, 2, 3, 4, 6, 7, 12, 14, 24, 28];

  function read(table) {
    const rows = [...table.tBodies[0].rows];
    const columns = [...table.tHead.rows[0].cells]
      .map((head, index) => ({
        name: head.textContent.trim(),
        draw: head.dataset.draw,
        colour: head.dataset.colour ?? "leaf",
        max: head.dataset.max ? Number(head.dataset.max) : null,
        unit: head.dataset.unit ?? "",
        words: rows.map((row) => row.cells[index]?.textContent.trim() ?? ""),
        values: rows.map((row) => number(row.cells[index])),
      }))
      .filter((column) => column.draw !== undefined);
    const names = rows.map((row) => row.cells[0].dataset.label ?? row.cells[0].textContent.trim());
    return { names, titles: rows.map((row) => row.cells[0].textContent.trim()), columns };
  }

  function number(cell) {
    const text = cell?.dataset.value ?? "";
    return text === "" ? null : Number(text);
  }

  function drawn(column) {
    // A bar of nothing is no line on the ground.
    return column.draw === "bars" ? column.values.map((value) => value || null) : column.values;
  }

  function roundUp(value) {
    // The next of 4, 6, 8, 10, 12, 16, 20 and so on by tens: an axis ends on a mark, and so does its half.
    if (value <= 4) return 4;
    const tens = 10 ** Math.floor(Math.log10(value));
    return [1, 1.2, 1.6, 2, 3, 4, 6, 8, 10].map((part) => Math.ceil(part * tens)).find((end) => end >= value);
  }

  function span(from, to) {
    const element = document.createElement("span");
    element.className = from;
    element.textContent = to;
    return element;
  }

  class Chart {
    constructor(figure) {
      this.figure = figure;
      this.table = figure.querySelector("table");
      this.box = document.createElement("div");
      this.box.className = "plot";
      this.box.setAttribute("aria-hidden", "true"); // who cannot see it reads the table
      this.key = document.createElement("p");
      this.key.className = "key";
      this.plot = null;
      this.width = 0;
      this.box.append(this.key);
      figure.insertBefore(this.box, figure.querySelector("details") ?? this.table);
      new ResizeObserver(() => { if (this.box.clientWidth !== this.width) this.draw(); }).observe(this.box);
      new MutationObserver(() => this.draw())
        .observe(this.table, { subtree: true, childList: true, characterData: true, attributes: true });
      this.draw();
    }

    draw() {
      const data = read(this.table);
      const something = data.columns.some((column) => column.values.some((value) => value));
      const empty = this.figure.querySelector("[data-empty]");
      if (empty !== null) empty.hidden = something;
      this.box.hidden = !something;
      this.plot?.destroy();
      this.plot = null;
      this.width = this.box.clientWidth;
      if (!something || this.width === 0) return;
      this.plot = new uPlot(this.options(data), [data.names.map((_, index) => index), ...data.columns.map(drawn)], this.box);
      this.say(data, null);
    }

    options(data) {
      const style = getComputedStyle(this.figure);
      const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
      const colour = (name) => style.getPropertyValue(`--${name}`).trim();
      const font = `${Math.round(TEXT_REM * rem)}px ${style.fontFamily}`;
      const plain = new Intl.NumberFormat(document.documentElement.lang);
      const common = { font, stroke: colour("quiet"), ticks: { show: false } };
      const longest = Math.max(...data.names.map((name) => name.length));
      const axes = [{
        ...common,
        grid: { show: false },
        size: 1.9 * rem,
        gap: 0.35 * rem,
        incrs: NAME_STEPS,
        space: (0.62 * longest + 1) * TEXT_REM * rem,
        values: (_, places) => places.map((place) => data.names[place] ?? ""),
      }];
      const scales = { x: { time: false, range: [-0.5, data.names.length - 0.5] } };
      const series = [{}];
      data.columns.forEach((column, index) => {
        const scale = `y${index}`;
        const end = column.max ?? roundUp(Math.max(...column.values.map((value) => value ?? 0)));
        scales[scale] = { range: [0, end] };
        axes.push({
          ...common,
          scale,
          side: index === 0 ? 3 : 1,
          grid: index === 0 ? { stroke: colour("line"), width: 1 } : { show: false },
          size: (0.62 * `${plain.format(end)}${column.unit}`.length + 0.9) * TEXT_REM * rem,
          gap: 0.35 * rem,
          splits: () => [0, end / 2, end], // the same heights on every scale: one grid for all
          values: (_, marks) => marks.map((mark) => plain.format(mark) + column.unit),
        });
        const ink = colour(column.colour);
        series.push(column.draw === "bars"
          ? { scale, fill: `${ink}73`, stroke: ink, width: 1.5, paths: uPlot.paths.bars({ size: [0.62, 3 * rem], radius: 0.12 }), points: { show: false } }
          : { scale, stroke: ink, width: 2, points: { show: true, size: 0.5 * rem, width: 2, stroke: ink, fill: colour("card") } });
      });
      return {
        width: this.width,
        height: HEIGHT_REM * rem,
        padding: [0.6 * rem, data.columns.length > 1 ? 0 : 0.6 * rem, 0, 0],
        legend: { show: false },
        cursor: { y: false, drag: { x: false, y: false }, points: { show: false } },
        axes, scales, series,
        hooks: { setCursor: [(plot) => this.say(data, plot.cursor.idx)] },
      };
    }

    // The key: what each colour and shape is, and under the pointer its words at that place.
    say(data, place) {
      const at = place !== null && data.titles[place] !== undefined ? place : null;
      const parts = data.columns.map((column) => {
        const part = span(`series ${column.draw}`, at === null ? column.name : `${column.name}: ${column.words[at]}`);
        part.style.setProperty("--series", `var(--${column.colour})`);
        return part;
      });
      this.key.replaceChildren(...(at === null ? [] : [span("at", data.titles[at])]), ...parts);
    }
  }

  // The font decides how wide a label is: draw when it is there.
  document.fonts.ready.then(() => document.querySelectorAll("figure[data-chart]").forEach((figure) => new Chart(figure)));
})();
