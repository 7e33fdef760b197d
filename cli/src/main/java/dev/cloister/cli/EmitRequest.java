package dev.cloister.cli;

import dev.cloister.ffm.Architecture;
import dev.cloister.recipe.PortableProgram;
import dev.cloister.spec.OsString;
import dev.cloister.strategies.Strategies;
import dev.cloister.strategy.Guarantee;
import dev.cloister.strategy.IsolationStrategy;
import dev.cloister.strategy.PlanException;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What is to be emitted. The same arguments make the same bytes on every host.
 *
 * @param output where to, if that was said
 * @param uses the options of the sandbox
 * @param command empty if the launcher's user shall say it
 */
record EmitRequest(
    Optional<OsString> output,
    Architecture architecture,
    List<ParsedOptions.Use<RunOption>> uses,
    List<OsString> command) {
  /** What depends on the one process or host that starts a sandbox. */
  private static final Map<RunOption, String> NOT_BAKED =
      Map.of(
          RunOption.SECCOMP, "a descriptor is this process's own (try --seccomp-profile default)",
          RunOption.ADD_SECCOMP_FD,
              "a descriptor is this process's own (try --seccomp-profile default)",
          RunOption.BIND_FD, "what a descriptor leads to is looked at beforehand",
          RunOption.RO_BIND_FD, "what a descriptor leads to is looked at beforehand",
          RunOption.MEMORY, "its cgroup must be looked for on the host",
          RunOption.PIDS, "its cgroup must be looked for on the host",
          RunOption.CPU, "its cgroup must be looked for on the host",
          RunOption.VERBOSE, "a launcher says that with --help and --explain");

  /**
   * As many options and arguments as options may bring from a file; {@code explain --elf} makes a
   * launcher of whatever a file has.
   */
  private static final int MAX_WORDS = 9000;

  /** In bytes, those of a path once for each directory that may be made for it. */
  private static final long MAX_SIZE = 4 << 20;

  EmitRequest {
    uses = List.copyOf(uses);
    command = List.copyOf(command);
  }

  static EmitRequest of(List<OsString> arguments, ParsedOptions<CliOption> parsed)
      throws CliException {
    Optional<OsString> output = Optional.empty();
    Architecture architecture = Architecture.host();
    List<ParsedOptions.Use<RunOption>> uses = new ArrayList<>();
    for (ParsedOptions.Use<CliOption> use : parsed.options()) {
      OsString value = use.values().isEmpty() ? OsString.of("") : use.values().getFirst();
      if (use.option() == EmitOption.OUTPUT) {
        output = Optional.of(value);
      } else if (use.option() == EmitOption.ARCH) {
        architecture = architecture(value);
      } else if (use.option() != RunOption.ARGS && use.option() != RunOption.PROFILE) {
        // What stands in the place of these two is baked in.
        uses.add(bakeable((RunOption) use.option(), use.values()).in(use.origin()));
      }
    }
    EmitRequest request =
        new EmitRequest(
            output, architecture, uses, arguments.subList(parsed.command(), arguments.size()));
    request.requireModest();
    return request;
  }

  private void requireModest() throws CliException {
    if (arguments().size() > MAX_WORDS) {
      throw new CliException(
          "more than %d options and arguments: too many for a launcher".formatted(MAX_WORDS));
    }
    long size = 0;
    for (ParsedOptions.Use<RunOption> use : uses) {
      for (OsString value : use.values()) {
        size += (value.length() + 1L) * (1 + slashes(value));
      }
    }
    for (OsString word : command) {
      size += word.length() + 1;
    }
    if (size > MAX_SIZE) {
      throw new CliException("too many too long paths and arguments for a launcher");
    }
  }

  private static int slashes(OsString path) {
    int slashes = 0;
    for (int i = 0; i < path.length(); i++) {
      slashes += path.charAt(i) == '/' ? 1 : 0;
    }
    return slashes;
  }

  private static Architecture architecture(OsString name) throws CliException {
    for (Architecture architecture : Architecture.values()) {
      if (architecture.name().toLowerCase(Locale.ROOT).equals(name.toString())) {
        return architecture;
      }
    }
    throw new CliException("--arch %s: not one of x86_64, aarch64".formatted(Messages.value(name)));
  }

  private static ParsedOptions.Use<RunOption> bakeable(RunOption option, List<OsString> values)
      throws CliException {
    String reason = NOT_BAKED.get(option);
    if (option == RunOption.STRATEGY && !isNative(values.getFirst())) {
      reason = "a launcher makes its sandbox itself, by pivot_root or chroot";
    }
    if (reason != null) {
      throw new CliException(
          "%s: cannot be baked into a launcher: %s".formatted(words(option, values), reason));
    }
    return new ParsedOptions.Use<>(option, values);
  }

  private static boolean isNative(OsString strategy) {
    return List.of("auto", "pivot_root", "chroot").contains(strategy.toString());
  }

  private static String words(RunOption option, List<OsString> values) {
    StringBuilder words = new StringBuilder(option.word());
    for (OsString value : values) {
      words.append(' ').append(Messages.value(value));
    }
    return words.toString();
  }

  /** What {@link #of} makes the same request of again, but for the output; no host plays a part. */
  List<OsString> arguments() {
    List<OsString> words = new ArrayList<>();
    words.add(OsString.of(EmitOption.ARCH.word()));
    words.add(OsString.of(architecture.name().toLowerCase(Locale.ROOT)));
    for (ParsedOptions.Use<RunOption> use : uses) {
      words.add(OsString.of(use.option().word()));
      words.addAll(use.values());
    }
    if (!command.isEmpty()) {
      words.add(OsString.of("--"));
      words.addAll(command);
    }
    return words;
  }

  /**
   * Plans and compiles the launcher.
   *
   * @param invocation whose environment and directory play no part
   */
  Emitted emit(Invocation invocation) throws CliException {
    RunRequest.Late request = RunRequest.late(uses, invocation);
    IsolationStrategy strategy =
        request.strategy().flatMap(Strategies::find).orElse(Strategies.PORTABLE);
    PortableProgram portable = new PortableProgram(strategy, request.specs());
    Set<Guarantee> given = portable.guarantees();
    require(request.required(), given);
    try {
      return Emitted.compile(this, request, portable.plan(request.conditions()), given);
    } catch (PlanException e) {
      throw new CliException(e.getMessage());
    }
  }

  private static void require(Set<Guarantee> required, Set<Guarantee> given) throws CliException {
    Set<Guarantee> missing = EnumSet.noneOf(Guarantee.class);
    missing.addAll(required);
    missing.removeAll(given);
    if (!missing.isEmpty()) {
      throw new CliException(
          "--require %s: a launcher for any caller on any host cannot guarantee this"
              .formatted(Guarantee.words(missing)));
    }
  }
}
