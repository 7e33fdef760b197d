package dev.cloister.benchmarks.report;

import com.google.gson.Gson;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.stream.JsonWriter;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** {@link Results} as a file. */
public final class ResultsJson {
  /** Raised when a reader would have to change. */
  private static final int SCHEMA = 1;

  /**
   * As many digits as a clock of nanoseconds gives a figure in microseconds that means anything.
   */
  private static final double PER_UNIT = 100;

  private ResultsJson() {}

  /** The text of a file. */
  public static String write(Results results) {
    StringWriter text = new StringWriter();
    try (JsonWriter json = new JsonWriter(text)) {
      json.setIndent(" ");
      json.setHtmlSafe(false);
      write(results, json);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return text + "\n";
  }

  private static void write(Results results, JsonWriter json) throws IOException {
    json.beginObject();
    json.name("schema").value(SCHEMA);
    json.name("set").value(results.set());
    json.name("unit").value(results.unit());
    json.name("axis").value(results.axis());
    json.name("references").beginArray();
    for (String reference : results.references()) {
      json.value(reference);
    }
    json.endArray();
    write(results.environment(), json.name("environment"));
    json.name("measurements").beginArray();
    for (Measurement measurement : results.measurements()) {
      write(measurement, json);
    }
    json.endArray();
    json.name("left_out").beginArray();
    for (LeftOut one : results.leftOut()) {
      json.beginObject();
      json.name("subject").value(one.subject());
      json.name("reason").value(one.reason());
      json.endObject();
    }
    json.endArray();
    json.endObject();
  }

  private static void write(Environment environment, JsonWriter json) throws IOException {
    json.beginObject();
    json.name("date").value(environment.date());
    json.name("cpu").value(environment.cpu());
    json.name("cores").value(environment.cores());
    json.name("memory_mib").value(environment.memoryMiB());
    json.name("hypervisor").value(environment.hypervisor());
    json.name("kernel").value(environment.kernel());
    json.name("jdk").value(environment.jdk());
    json.name("bubblewrap").value(environment.bubblewrap());
    json.name("uid").value(environment.uid());
    json.name("load").value(environment.load());
    json.endObject();
  }

  private static void write(Measurement measurement, JsonWriter json) throws IOException {
    json.beginObject();
    json.name("subject").value(measurement.subject());
    json.name("variant").value(measurement.variant());
    json.name("samples").value(measurement.samples());
    json.name("quantiles");
    // A hundred lines for each figure would hide all else.
    StringBuilder line = new StringBuilder("[");
    for (double value : measurement.quantiles().values()) {
      line.append(line.length() == 1 ? "" : ",").append(Math.round(value * PER_UNIT) / PER_UNIT);
    }
    json.jsonValue(line.append(']').toString());
    json.endObject();
  }

  /** What {@link #write} wrote. */
  public static Results read(String text) {
    JsonObject json = new Gson().fromJson(text, JsonObject.class);
    if (json.get("schema").getAsInt() != SCHEMA) {
      throw new IllegalArgumentException("schema " + json.get("schema"));
    }
    return new Results(
        string(json, "set"),
        string(json, "unit"),
        string(json, "axis"),
        objects(json, "references").stream().map(JsonElement::getAsString).toList(),
        environment(json.getAsJsonObject("environment")),
        objects(json, "measurements").stream()
            .map(it -> measurement(it.getAsJsonObject()))
            .toList(),
        objects(json, "left_out").stream().map(it -> leftOut(it.getAsJsonObject())).toList());
  }

  private static Environment environment(JsonObject json) {
    return new Environment(
        string(json, "date"),
        string(json, "cpu"),
        json.get("cores").getAsInt(),
        json.get("memory_mib").getAsLong(),
        json.get("hypervisor").getAsBoolean(),
        string(json, "kernel"),
        string(json, "jdk"),
        string(json, "bubblewrap"),
        json.get("uid").getAsLong(),
        json.get("load").getAsDouble());
  }

  private static Measurement measurement(JsonObject json) {
    List<Double> values = new ArrayList<>();
    for (JsonElement value : objects(json, "quantiles")) {
      values.add(value.getAsDouble());
    }
    return new Measurement(
        string(json, "subject"),
        string(json, "variant"),
        json.get("samples").getAsInt(),
        new Quantiles(values));
  }

  private static LeftOut leftOut(JsonObject json) {
    return new LeftOut(string(json, "subject"), string(json, "reason"));
  }

  private static String string(JsonObject json, String name) {
    return json.get(name).getAsString();
  }

  private static List<JsonElement> objects(JsonObject json, String name) {
    JsonArray array = json.getAsJsonArray(name);
    return array.asList();
  }

  /** Where a directory has the set of that name. */
  public static Path file(Path directory, String set) {
    return directory.resolve(set + ".json");
  }
}
