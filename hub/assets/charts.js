// Draws what the tables beside it say. Everything a chart shows stands in its table too, so nothing is lost without this.
(function () {
  "use strict";
  var INK = "#111111";
  var BLUE = "#0b3d91";
  var AMBER = "#b35900";
  var GREEN = "#00451d";
  var GREY = "#767676";
  var TEXT = { color: INK, fontSize: 18 };

  function axis(kind, names) {
    var one = { type: kind, axisLabel: { color: INK, fontSize: 18, interval: 0 }, axisLine: { lineStyle: { color: INK } } };
    if (names) one.data = names;
    return one;
  }

  function series(name, kind, data, colour) {
    return { name: name, type: kind, data: data, itemStyle: { color: colour }, animation: false, barMaxWidth: 28 };
  }

  // Lying bars, the first on top; in print two colours differ by their darkness.
  function bars(data) {
    var colours = [BLUE, AMBER, GREEN, GREY];
    var names = axis("category", data.names);
    names.inverse = true;
    var numbers = axis("value");
    numbers.axisLabel.interval = "auto";
    if (data.percent) { numbers.max = 100; numbers.axisLabel.formatter = "{value}%"; }
    return {
      grid: { left: 8, right: 60, top: 44, bottom: 8, containLabel: true },
      xAxis: numbers,
      yAxis: names,
      series: data.series.map(function (one, at) {
        var drawn = series(one.name, "bar", one.data, colours[at % colours.length]);
        if (data.stack) drawn.stack = "all";
        drawn.label = { show: !data.stack, position: "right", color: INK, fontSize: 18, formatter: data.percent ? "{c}%" : "{c}" };
        return drawn;
      })
    };
  }

  function lines(data) {
    var names = axis("category", data.names);
    names.axisLabel.interval = "auto";
    return {
      grid: { left: 8, right: 20, top: 44, bottom: 8, containLabel: true },
      xAxis: names,
      yAxis: axis("value"),
      series: data.series.map(function (one, at) {
        var drawn = series(one.name, "line", one.data, [BLUE, AMBER][at % 2]);
        drawn.lineStyle = { width: 3, type: at ? "dashed" : "solid", color: [BLUE, AMBER][at % 2] };
        drawn.symbolSize = 8;
        return drawn;
      })
    };
  }

  function draw(place) {
    var data = JSON.parse(place.getAttribute("data-chart"));
    var option = data.kind === "lines" ? lines(data) : bars(data);
    option.textStyle = TEXT;
    option.legend = { show: data.series.length > 1, textStyle: TEXT, top: 0 };
    // A tooltip is HTML with styles of its own, which this page forbids; every number stands in the table.
    option.tooltip = { show: false };
    place.hidden = false;
    if (data.kind !== "lines") place.classList.add("rows" + Math.min(20, Math.max(4, data.names.length)));
    var chart = window.echarts.init(place, null, { renderer: "canvas" });
    chart.setOption(option);
    place.setAttribute("data-drawn", "yes");
    window.addEventListener("resize", function () { chart.resize(); });
  }

  document.querySelectorAll("[data-chart]").forEach(draw);
})();
