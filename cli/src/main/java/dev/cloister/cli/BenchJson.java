package dev.cloister.cli;

import com.google.gson.stream.JsonWriter;
import dev.cloister.cli.BenchReport.LeftOut;
import dev.cloister.cli.BenchReport.Measured;
import dev.cloister.cli.BenchSubject.Kind;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Locale;

/** A {@link BenchReport} for a program: docs/bench.md. */
final class BenchJson {
  /** Raised when a reader of the JSON would have to change. */
  private static final int SCHEMA = 1;

  private final BenchReport report;
  private final JsonWriter json;

  private BenchJson(BenchReport report, JsonWriter json) {
    this.report = report;
    this.json = json;
  }

  /** Everything in a report. */
  static String of(BenchReport report) {
    StringWriter text = new StringWriter();
    try (JsonWriter json = new JsonWriter(text)) {
      json.setIndent("  ");
      // Nobody pastes this into a web page.
      json.setHtmlSafe(false);
      new BenchJson(report, json).write();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return text + "\n";
  }

  private void write() throws IOException {
    json.beginObject();
    json.name("schema").value(SCHEMA);
    json.name("version").value(Version.current());
    writeEnvironment(report.environment());
    json.name("sample").value(report.sampleText());
    json.name("binds").beginArray();
    for (Path path : report.binds()) {
      json.value(path.toString());
    }
    json.endArray();
    json.name("subjects").beginArray();
    for (Measured subject : report.measured()) {
      writeMeasured(subject);
    }
    for (LeftOut subject : report.leftOut()) {
      writeLeftOut(subject);
    }
    json.endArray();
    json.endObject();
  }

  private void writeEnvironment(BenchEnvironment environment) throws IOException {
    json.name("environment").beginObject();
    json.name("cpu").value(environment.cpu().orElse(null));
    json.name("cpus").value(environment.cpus());
    json.name("kernel").value(environment.kernel());
    json.name("jdk").value(environment.jdk());
    json.name("bwrap").value(environment.bwrap().orElse(null));
    json.name("load_average");
    if (environment.load().isPresent()) {
      json.value(environment.load().getAsDouble());
    } else {
      json.nullValue();
    }
    json.name("loaded").value(environment.loaded());
    json.name("uid").value(environment.uid());
    json.endObject();
  }

  private void writeMeasured(Measured subject) throws IOException {
    Samples samples = subject.samples();
    json.beginObject();
    writeNames(subject.name(), subject.kind(), true);
    json.name("samples").value(samples.count());
    json.name("min_ns").value(samples.min());
    json.name("median_ns").value(samples.median());
    json.name("p95_ns").value(samples.p95());
    json.name("of_plain").value(report.ofPlain(subject));
    json.endObject();
  }

  private void writeLeftOut(LeftOut subject) throws IOException {
    json.beginObject();
    writeNames(subject.name(), subject.kind(), false);
    json.name("reason").value(subject.reason());
    json.endObject();
  }

  private void writeNames(String name, Kind kind, boolean measured) throws IOException {
    json.name("name").value(name);
    json.name("kind").value(kind.name().toLowerCase(Locale.ROOT));
    json.name("measured").value(measured);
  }
}
