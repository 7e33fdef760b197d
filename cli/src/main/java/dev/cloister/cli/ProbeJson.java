package dev.cloister.cli;

import com.google.gson.stream.JsonWriter;
import dev.cloister.host.Caller;
import dev.cloister.host.Evidence;
import dev.cloister.probe.Capability;
import dev.cloister.probe.Limit;
import dev.cloister.program.CText;
import dev.cloister.program.Instruction;
import dev.cloister.program.SyscallProgram;
import dev.cloister.strategy.Assessment;
import dev.cloister.strategy.Assessment.Failure;
import dev.cloister.strategy.Guarantee;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** A {@link ProbeReport} for a program: docs/probe-json.md. */
final class ProbeJson {
  /** Raised when a reader of the JSON would have to change. */
  private static final int SCHEMA = 1;

  private final ProbeReport report;
  private final JsonWriter json;

  private ProbeJson(ProbeReport report, JsonWriter json) {
    this.report = report;
    this.json = json;
  }

  /**
   * Everything in a report.
   *
   * @param deep whether the programs that strategies were tried with are shown, too, in place of
   *     the capabilities and limits
   */
  static String of(ProbeReport report, boolean deep) {
    StringWriter text = new StringWriter();
    try (JsonWriter json = new JsonWriter(text)) {
      json.setIndent("  ");
      // Nobody pastes this into a web page, and C is easier to read with its own characters.
      json.setHtmlSafe(false);
      new ProbeJson(report, json).write(deep);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return text + "\n";
  }

  private void write(boolean deep) throws IOException {
    json.beginObject();
    json.name("schema").value(SCHEMA);
    json.name("version").value(Version.current());
    json.name("choice").value(report.choice().orElse(null));
    writeHost(report.caller(), report.evidence());
    json.name("strategies").beginArray();
    for (ProbeReport.Strategy strategy : report.strategies()) {
      writeStrategy(strategy, deep);
    }
    json.endArray();
    if (!deep) {
      writeCapabilities();
      writeLimits();
    }
    json.endObject();
  }

  private void writeHost(Caller caller, Evidence evidence) throws IOException {
    json.name("host").beginObject();
    json.name("kernel").value(evidence.kernel());
    json.name("uid").value(caller.uid());
    json.name("gid").value(caller.gid());
    json.name("capabilities").value("%016x".formatted(caller.capabilities()));
    json.name("no_new_privs").value(caller.noNewPrivs());
    json.name("seccomp").value(caller.seccomp());
    writeStrings("security_modules", evidence.modules());
    json.name("security_label").value(evidence.label().orElse(null));
    json.name("container").value(evidence.container().orElse(null));
    json.name("chroot").value(evidence.chroot().orElse(null));
    json.name("initramfs").value(evidence.initramfs());
    json.name("mounts").value(evidence.mounts());
    writeStrings("covered_proc", evidence.coveredProc());
    writeStrings("uid_map", evidence.uidMap());
    writeStrings("gid_map", evidence.gidMap());
    json.name("sysctls").beginObject();
    for (Map.Entry<String, String> sysctl : evidence.sysctls().entrySet()) {
      json.name(sysctl.getKey()).value(sysctl.getValue());
    }
    json.endObject();
    json.endObject();
  }

  private void writeStrategy(ProbeReport.Strategy strategy, boolean deep) throws IOException {
    json.beginObject();
    json.name("name").value(strategy.name());
    writeVerdict(strategy.assessment());
    if (strategy.assessment() instanceof Assessment.Usable) {
      writeStrings("guarantees", strategy.guarantees().stream().map(Guarantee::word).toList());
      writeStrings(
          "cannot_guarantee", strategy.outOfReach().stream().map(Guarantee::word).toList());
    }
    Optional<SyscallProgram> program = strategy.program().filter(_ -> deep);
    if (program.isPresent()) {
      writeSteps(program.get(), strategy.assessment());
    }
    json.endObject();
  }

  private void writeSteps(SyscallProgram program, Assessment assessment) throws IOException {
    int failed =
        assessment instanceof Assessment.Unusable unusable
            ? unusable.failure().map(Failure::step).orElse(0)
            : 0;
    json.name("steps").beginArray();
    int number = 0;
    for (Instruction.Call call : program.steps()) {
      number++;
      json.beginObject();
      json.name("number").value(number);
      json.name("call").value(CText.assignment(call));
      json.name("failed").value(number == failed);
      json.endObject();
    }
    json.endArray();
  }

  private void writeCapabilities() throws IOException {
    json.name("capabilities").beginArray();
    for (Map.Entry<Capability, Assessment> entry : report.capabilities().entrySet()) {
      Capability capability = entry.getKey();
      json.beginObject();
      json.name("name").value(lower(capability));
      json.name("group").value(lower(capability.group()));
      json.name("description").value(capability.description());
      writeVerdict(entry.getValue());
      json.endObject();
    }
    json.endArray();
  }

  private void writeLimits() throws IOException {
    json.name("limits").beginArray();
    for (Limit limit : report.limits()) {
      json.beginObject();
      json.name("name").value(limit.name());
      json.name("value").value(limit.value());
      writeVerdict(limit.assessment());
      json.endObject();
    }
    json.endArray();
  }

  private void writeVerdict(Assessment verdict) throws IOException {
    json.name("usable").value(verdict instanceof Assessment.Usable);
    switch (verdict) {
      case Assessment.Usable usable -> writeWorkarounds(usable);
      case Assessment.Unusable unusable -> writeCause(unusable);
    }
  }

  private void writeWorkarounds(Assessment.Usable usable) throws IOException {
    if (!usable.workarounds().isEmpty()) {
      writeStrings("workarounds", usable.workarounds().stream().map(ProbeJson::lower).toList());
    }
  }

  private void writeCause(Assessment.Unusable unusable) throws IOException {
    json.name("reason").value(unusable.reason());
    if (unusable.failure().isPresent()) {
      Failure failure = unusable.failure().get();
      json.name("failure").beginObject();
      json.name("step").value(failure.step());
      json.name("call").value(failure.call());
      json.name("errno").value(failure.errno());
      json.name("error").value(failure.errnoText());
      json.endObject();
    }
    json.name("cause").value(unusable.cause().text());
    writeStrings("evidence", unusable.cause().evidence());
    json.name("remedy").value(unusable.remedy());
    writeStrings("attachment", unusable.cause().attachment());
  }

  private void writeStrings(String name, List<String> strings) throws IOException {
    json.name(name).beginArray();
    for (String string : strings) {
      json.value(string);
    }
    json.endArray();
  }

  private static String lower(Enum<?> constant) {
    return constant.name().toLowerCase(Locale.ROOT);
  }
}
