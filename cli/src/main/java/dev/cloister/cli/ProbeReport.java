package dev.cloister.cli;

import com.google.gson.stream.JsonWriter;
import dev.cloister.probe.Capability;
import dev.cloister.probe.CapabilityProbe;
import dev.cloister.probe.VerdictStore;
import dev.cloister.spec.SandboxSpec;
import dev.cloister.strategies.Strategies;
import dev.cloister.strategy.Assessment;
import dev.cloister.strategy.IsolationStrategy;
import dev.cloister.strategy.StrategySelector;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * What was found out about a host.
 *
 * @param strategies verdicts by name, in order of preference
 * @param capabilities verdicts in the order of {@link Capability}
 */
record ProbeReport(Map<String, Assessment> strategies, Map<Capability, Assessment> capabilities) {
  /** Raised when a reader of the JSON would have to change. */
  private static final int SCHEMA = 1;

  private static final String GREEN = "\u001b[32m";
  private static final String RED = "\u001b[31m";
  private static final String PLAIN = "\u001b[0m";

  /** Tries everything. */
  static ProbeReport collect(Sandboxing sandboxing) {
    VerdictStore verdicts = sandboxing.verdicts();
    verdicts.forget();
    StrategySelector selector = new StrategySelector(Strategies.ALL, sandboxing.host(), verdicts);
    Map<String, Assessment> strategies = new LinkedHashMap<>();
    SandboxSpec plain = SandboxSpec.builder().build();
    for (IsolationStrategy strategy : Strategies.ALL) {
      strategies.put(strategy.name(), selector.assess(strategy, plain));
    }
    CapabilityProbe probe =
        new CapabilityProbe(sandboxing.runner(), sandboxing.host(), sandboxing.diagnosis());
    Map<Capability, Assessment> capabilities = new LinkedHashMap<>();
    for (Capability capability : Capability.values()) {
      capabilities.put(capability, probe.of(capability));
    }
    return new ProbeReport(strategies, capabilities);
  }

  /** The strategy that {@code run} takes for a sandbox that asks for nothing special. */
  Optional<String> choice() {
    return strategies.entrySet().stream()
        .filter(entry -> entry.getValue() instanceof Assessment.Usable)
        .map(Map.Entry::getKey)
        .findFirst();
  }

  /** For a person. */
  String table(boolean colour) {
    StringBuilder table = new StringBuilder("strategies\n");
    strategies.forEach(
        (name, verdict) ->
            addRow(table, name + (isChoice(name) ? " (default)" : ""), verdict, colour));
    for (Capability.Group group : Capability.Group.values()) {
      table.append('\n').append(group.name().toLowerCase(Locale.ROOT)).append('\n');
      capabilities.forEach(
          (capability, verdict) -> {
            if (capability.group() == group) {
              addRow(table, capability.description(), verdict, colour);
            }
          });
    }
    return table.toString();
  }

  private boolean isChoice(String name) {
    return choice().equals(Optional.of(name));
  }

  private static void addRow(StringBuilder table, String name, Assessment verdict, boolean colour) {
    switch (verdict) {
      case Assessment.Usable _ -> addLine(table, GREEN, "yes", name, colour);
      case Assessment.Unusable unusable -> {
        addLine(table, RED, "no", name, colour);
        table.append("         because: ").append(unusable.reason()).append('\n');
        table.append("         remedy:  ").append(unusable.remedy()).append('\n');
      }
    }
  }

  private static void addLine(
      StringBuilder table, String shade, String word, String name, boolean colour) {
    table.append("  ").append(colour ? shade : "").append(word).append(colour ? PLAIN : "");
    table.append(" ".repeat(7 - word.length())).append(name).append('\n');
  }

  /** For a program: docs/probe-json.md. */
  String json() {
    StringWriter text = new StringWriter();
    try (JsonWriter json = new JsonWriter(text)) {
      json.setIndent("  ");
      json.beginObject();
      json.name("schema").value(SCHEMA);
      json.name("version").value(Version.current());
      json.name("choice").value(choice().orElse(null));
      json.name("strategies").beginArray();
      for (Map.Entry<String, Assessment> strategy : strategies.entrySet()) {
        write(json, List.of(Map.entry("name", strategy.getKey())), strategy.getValue());
      }
      json.endArray();
      json.name("capabilities").beginArray();
      for (Map.Entry<Capability, Assessment> entry : capabilities.entrySet()) {
        Capability capability = entry.getKey();
        write(
            json,
            List.of(
                Map.entry("name", lower(capability)),
                Map.entry("group", lower(capability.group())),
                Map.entry("description", capability.description())),
            entry.getValue());
      }
      json.endArray();
      json.endObject();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return text + "\n";
  }

  private static String lower(Enum<?> constant) {
    return constant.name().toLowerCase(Locale.ROOT);
  }

  private static void write(
      JsonWriter json, List<Map.Entry<String, String>> fields, Assessment verdict)
      throws IOException {
    json.beginObject();
    for (Map.Entry<String, String> field : fields) {
      json.name(field.getKey()).value(field.getValue());
    }
    json.name("usable").value(verdict instanceof Assessment.Usable);
    if (verdict instanceof Assessment.Unusable unusable) {
      json.name("reason").value(unusable.reason());
      json.name("remedy").value(unusable.remedy());
    }
    json.endObject();
  }
}
