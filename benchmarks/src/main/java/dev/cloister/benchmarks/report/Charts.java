package dev.cloister.benchmarks.report;

import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Dimension;
import java.awt.geom.Rectangle2D;
import java.io.IOException;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.text.DecimalFormat;
import java.text.DecimalFormatSymbols;
import java.text.NumberFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import org.apache.batik.svggen.SVGGraphics2D;
import org.jfree.chart.ChartFactory;
import org.jfree.chart.JFreeChart;
import org.jfree.chart.axis.LogAxis;
import org.jfree.chart.axis.NumberAxis;
import org.jfree.chart.axis.NumberTickUnit;
import org.jfree.chart.axis.ValueAxis;
import org.jfree.chart.labels.StandardCategoryItemLabelGenerator;
import org.jfree.chart.plot.CategoryPlot;
import org.jfree.chart.plot.PlotOrientation;
import org.jfree.chart.plot.XYPlot;
import org.jfree.chart.renderer.category.BarRenderer;
import org.jfree.chart.renderer.category.StandardBarPainter;
import org.jfree.chart.renderer.xy.XYLineAndShapeRenderer;
import org.jfree.data.category.DefaultCategoryDataset;
import org.jfree.data.xy.XYSeries;
import org.jfree.data.xy.XYSeriesCollection;
import org.w3c.dom.Document;

/** Pictures of {@link Results}, as SVG. */
final class Charts {
  private static final int WIDTH = 860;
  private static final int HEIGHT = 480;
  private static final float LINE = 2f;

  /** Okabe and Ito's, which most people can tell apart, without the yellow. */
  private static final List<Color> COLOURS =
      Stream.of(0x0072b2, 0xe69f00, 0x009e73, 0xcc79a7, 0xd55e00, 0x56b4e9, 0x000000)
          .map(Color::new)
          .toList();

  /** Room for the longest bar's number, of the axis' length. */
  private static final double LABEL_MARGIN = 0.1;

  /**
   * What lies above is one sample in a hundred, and says more of the machine than of the subject.
   */
  private static final int LAST_PERCENT = 99;

  private static final double MICROS_PER_MILLI = 1000;

  private Charts() {}

  /** Those whose sets are there. */
  static void write(Map<String, Results> all, Path directory) throws IOException {
    Results binds = all.get("binds");
    if (binds != null) {
      save(growth(binds), directory.resolve("binds.svg"));
    }
    Results library = all.get("library");
    if (library != null) {
      save(distribution(library), directory.resolve("library.svg"));
    }
    Results startUp = all.get("start-up");
    if (startUp != null) {
      save(bars(startUp), directory.resolve("start-up.svg"));
    }
  }

  private static void save(JFreeChart chart, Path file) throws IOException {
    SVGGraphics2D graphics = new SVGGraphics2D(emptyDocument());
    graphics.setSVGCanvasSize(new Dimension(WIDTH, HEIGHT));
    chart.draw(graphics, new Rectangle2D.Double(0, 0, WIDTH, HEIGHT));
    try (Writer writer = Files.newBufferedWriter(file)) {
      graphics.stream(writer, /* useCss= */ true);
    }
  }

  private static Document emptyDocument() {
    try {
      return DocumentBuilderFactory.newNSInstance()
          .newDocumentBuilder()
          .getDOMImplementation()
          .createDocument("http://www.w3.org/2000/svg", "svg", null);
    } catch (ParserConfigurationException e) {
      throw new IllegalStateException("every JDK has a parser", e);
    }
  }

  /** Medians against a number, both logarithmic: what is linear has the slope of the diagonal. */
  private static JFreeChart growth(Results results) {
    XYSeriesCollection lines = new XYSeriesCollection();
    for (String subject : results.subjects()) {
      XYSeries line = new XYSeries(subject);
      for (Measurement one : results.measurements()) {
        if (one.subject().equals(subject)) {
          line.add(Double.parseDouble(one.variant()), one.median());
        }
      }
      lines.addSeries(line);
    }
    return lineChart(
        "Start to exit of a sandbox with that many binds",
        logarithmic(results.axis()),
        logarithmic("median, " + results.unit()),
        lines,
        /* points= */ true);
  }

  /** Which share of the samples took no longer than what. */
  private static JFreeChart distribution(Results results) {
    XYSeriesCollection lines = new XYSeriesCollection();
    for (Measurement one : results.measurements()) {
      XYSeries line = new XYSeries(one.subject());
      for (int percent = 0; percent <= LAST_PERCENT; percent++) {
        line.add(one.quantiles().at(percent), percent);
      }
      lines.addSeries(line);
    }
    return lineChart(
        "From a running JVM, start to exit, five binds",
        logarithmic(results.unit()),
        new NumberAxis("samples that took no longer, %"),
        lines,
        /* points= */ false);
  }

  private static LogAxis logarithmic(String label) {
    LogAxis axis = new LogAxis(label);
    axis.setTickUnit(new NumberTickUnit(1, NumberFormat.getIntegerInstance(Locale.ROOT)));
    return axis;
  }

  private static JFreeChart lineChart(
      String title, ValueAxis x, ValueAxis y, XYSeriesCollection lines, boolean points) {
    XYLineAndShapeRenderer renderer = new XYLineAndShapeRenderer(/* lines= */ true, points);
    renderer.setDrawSeriesLineAsPath(true);
    for (int series = 0; series < lines.getSeriesCount(); series++) {
      renderer.setSeriesStroke(series, new BasicStroke(LINE));
      renderer.setSeriesPaint(series, COLOURS.get(series % COLOURS.size()));
    }
    XYPlot plot = new XYPlot(lines, x, y, renderer);
    plot.setBackgroundPaint(Color.WHITE);
    plot.setDomainGridlinePaint(Color.LIGHT_GRAY);
    plot.setRangeGridlinePaint(Color.LIGHT_GRAY);
    return onWhite(new JFreeChart(title, plot));
  }

  private static JFreeChart bars(Results results) {
    DefaultCategoryDataset millis = new DefaultCategoryDataset();
    for (Measurement one : results.measurements()) {
      millis.addValue(one.median() / MICROS_PER_MILLI, "median", one.subject());
    }
    JFreeChart chart =
        ChartFactory.createBarChart(
            "Whole processes of the command line",
            null,
            "median, ms",
            millis,
            PlotOrientation.HORIZONTAL,
            /* legend= */ false,
            /* tooltips= */ false,
            /* urls= */ false);
    CategoryPlot plot = chart.getCategoryPlot();
    plot.setBackgroundPaint(Color.WHITE);
    plot.setRangeGridlinePaint(Color.LIGHT_GRAY);
    BarRenderer renderer = (BarRenderer) plot.getRenderer();
    renderer.setBarPainter(new StandardBarPainter());
    renderer.setShadowVisible(false);
    renderer.setSeriesPaint(0, COLOURS.getFirst());
    plot.getRangeAxis().setUpperMargin(LABEL_MARGIN);
    renderer.setDefaultItemLabelGenerator(
        new StandardCategoryItemLabelGenerator(
            "{2}", new DecimalFormat("0.0", DecimalFormatSymbols.getInstance(Locale.ROOT))));
    renderer.setDefaultItemLabelsVisible(true);
    return onWhite(chart);
  }

  private static JFreeChart onWhite(JFreeChart chart) {
    chart.setBackgroundPaint(Color.WHITE);
    chart.setBorderVisible(false);
    return chart;
  }
}
