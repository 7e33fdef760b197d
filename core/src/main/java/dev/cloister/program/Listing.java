package dev.cloister.program;

import dev.cloister.host.CallerKind;
import dev.cloister.spec.OsString;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.stream.Collectors;

/** Writes a program for a person: its calls, numbered as its error messages number them. */
public final class Listing {
  private final List<String> lines = new ArrayList<>();
  private int step;

  private Listing() {}

  /**
   * One line per call of the way of success, and headings where another process goes on.
   *
   * @param command how the command is called
   */
  public static List<String> of(SyscallProgram program, OsString command) {
    return list(program, command, List.of());
  }

  /** The same, with what every launcher does before; it is repeated if it gets a number below 3. */
  public static List<String> ofLauncher(SyscallProgram program, OsString command) {
    return list(
        program,
        command,
        List.of(
            "      signalfd4(-1, [], 8, 0)  # in place of a standard descriptor that is closed",
            "      close(3)"));
  }

  private static List<String> list(SyscallProgram program, OsString command, List<String> start) {
    Listing listing = new Listing();
    listing.lines.addAll(start);
    listing.addAll(program.instructions(), command);
    for (SyscallProgram inner : program.embedded()) {
      listing.lines.add("in the sandbox, before the command:");
      listing.lines.addAll(start);
      listing.addAll(inner.instructions(), command);
    }
    return listing.lines;
  }

  private void addAll(List<Instruction> instructions, OsString command) {
    for (Instruction instruction : instructions) {
      add(instruction, command);
    }
  }

  private void add(Instruction instruction, OsString command) {
    switch (instruction) {
      case Instruction.Call call -> {
        step++;
        lines.add("%4d  %s".formatted(step, CText.assignment(call)));
      }
      case Instruction.ExpectFailure expect -> {
        step++;
        lines.add("%4d  %s  # must fail".formatted(step, CText.of(expect.call())));
      }
      case Instruction.ExecuteCommand execute ->
          lines.add(
              "      execve(%s, %s, environment)%s"
                  .formatted(
                      CText.quote(command),
                      execute
                          .name()
                          .map(name -> "[" + CText.quote(name) + ", ...]")
                          .orElse("arguments"),
                      where(command, execute.searchPath())));
      case Instruction.ExecuteProgram execute -> {
        String arguments =
            execute.arguments().stream().map(CText::quote).collect(Collectors.joining(", "));
        lines.add(
            "      execve(%s, [%s, command...], environment)"
                .formatted(CText.quote(execute.path()), arguments));
      }
      case Instruction.Supervise supervise -> supervise(supervise, command);
      case Instruction.Init init -> init(init, command);
      case Instruction.RequireParent require ->
          lines.add("      getppid()  # must be " + require.parent().name());
      case Instruction.RequireLifeline _ -> lines.add("      ppoll([lifeline], 0)  # must be 0");
      case Instruction.Attempt attempt -> {
        lines.add("in a child, whose end is reported:");
        addAll(attempt.child(), command);
      }
      case Instruction.RestrictEach restrict ->
          lines.add(
              "      for each mount below %s: mount(NULL, path, NULL, MS_REMOUNT|MS_BIND|..., NULL)"
                  .formatted(restrict.directory()));
      case Instruction.FreeStandardDescriptors _ -> {
        for (int number = 0; number < 3; number++) {
          lines.add(
              "      signalfd4(%d, [], 8, 0)  # and close, if it is such a one".formatted(number));
        }
      }
      case Instruction.Compose compose ->
          lines.add(
              "      sprintf(%s, %s, %s)"
                  .formatted(
                      compose.into().name(),
                      CText.quote(compose.format()),
                      String.join(", ", compose.arguments())));
      case Instruction.RequireVariable require ->
          lines.add("      # the caller's environment must have " + require.name());
      case Instruction.RequireText require ->
          lines.add(
              "      # %s must be %s"
                  .formatted(require.text().name(), CText.quote(require.expected())));
      case Instruction.RecognizeCaller _ -> {
        for (String call : List.of("getuid", "geteuid", "getgid", "getegid")) {
          lines.add("      %s()".formatted(call));
        }
        lines.add("      capget({version=_LINUX_CAPABILITY_VERSION_3, pid=0}, capabilities)");
      }
      case Instruction.OnlyFor only -> branch(CallerKind.text(only.kinds()), only.steps(), command);
      case Instruction.ForEach loop -> {
        String texts = loop.texts().stream().map(CText::quote).collect(Collectors.joining(", "));
        branch("for each %s of %s".formatted(loop.each().name(), texts), loop.steps(), command);
      }
      case Instruction.IfSet choice -> {
        branch("if there is " + choice.slot().name(), choice.then(), command);
        if (!choice.otherwise().isEmpty()) {
          branch("if there is no " + choice.slot().name(), choice.otherwise(), command);
        }
      }
      case Instruction.IfArgument choice ->
          branch("if arguments[%d] is not empty".formatted(choice.index()), choice.then(), command);
      case Instruction.AwaitCommand await -> {
        lines.add(
            "      recvmsg(%d, command, MSG_CMSG_CLOEXEC)  # and what follows it"
                .formatted(await.socket()));
        lines.add("      dup3(descriptors, [0 1 2], 0)");
      }
      case Instruction.SendDescriptor send ->
          lines.add(
              "      sendmsg(%d, [%d, SCM_RIGHTS %s], MSG_NOSIGNAL)"
                  .formatted(send.socket(), send.word(), send.descriptor().name()));
      case Instruction.RemoveCgroup remove -> removeCgroup(remove);
      case Instruction.AwaitInput await ->
          lines.add("      ppoll([%d, lifeline, signals], NULL)".formatted(await.descriptor()));
      case Instruction.CopyData copy -> {
        copy.lifeline()
            .ifPresent(
                _ ->
                    lines.add("      ppoll([%d, lifeline, signals], NULL)".formatted(copy.from())));
        lines.add("      read(%d, buffer, 65536)  # to the end".formatted(copy.from()));
        lines.add("      write(%s, buffer, size)".formatted(copy.to().name()));
      }
      case Instruction.RequireSameFile require ->
          lines.add(
              "      # %s and %s must be of the same file"
                  .formatted(require.one().name(), require.other().name()));
      case Instruction.NameDirectory name ->
          lines.add("      getcwd(%s, 4096)  # a variable".formatted(name.variable()));
      case Instruction.CloseListed _,
          Instruction.EnterHome _,
          Instruction.FilterEnvironment _,
          Instruction.ProtectVariable _,
          Instruction.RestoreVariable _,
          Instruction.Say _,
          Instruction.Terminate _,
          Instruction.Exit _ -> {}
    }
  }

  /** Steps that not every run takes are indented. */
  private void branch(String condition, List<Instruction> steps, OsString command) {
    lines.add(condition + ":");
    int start = lines.size();
    addAll(steps, command);
    for (int i = start; i < lines.size(); i++) {
      lines.set(i, "  " + lines.get(i));
    }
  }

  /** The calls of the code that {@code Supervision} writes; they cannot fail, so have no number. */
  private void supervise(Instruction.Supervise supervise, OsString command) {
    fork("~[TSTP CONT TTIN TTOU]");
    supervise.lifeline().ifPresent(_ -> lines.add("      close(lifeline[1])"));
    addAll(supervise.child(), command);
    lines.add(
        "in this process, which passes signals on with %s until the child has ended:"
            .formatted(supervise.relay() ? "write(lifeline[1])" : "kill()"));
    supervise.waiting().forEach(each -> addLast(each, command));
    lines.add("      ppoll([signals%s], %s)".formatted(others(supervise), time(supervise)));
    lines.add("      read(signals, signal, 128)");
    lines.add("      wait4(-1, status, WNOHANG, NULL)");
    supervise.after().forEach(each -> addLast(each, command));
    supervise
        .started()
        .ifPresent(
            started -> lines.add("      read(%s, pid, 8)".formatted(started.event().name())));
    addStatus(supervise.status());
    supervise
        .killer()
        .ifPresent(
            signal -> lines.add("      kill(getpid(), SIGKILL)  # if it was sent " + signal));
    supervise
        .report()
        .ifPresent(
            report ->
                lines.add(
                    "      write(%d, exit_code, size)  # if the command was executed"
                        .formatted(report.descriptor())));
    lines.add("      exit_group(status)");
  }

  private static String others(Instruction.Supervise supervise) {
    return supervise.parent().map(parent -> ", " + parent.name()).orElse("");
  }

  private static String time(Instruction.Supervise supervise) {
    return supervise.timeout().map(timeout -> timeout.limit().toString()).orElse("NULL");
  }

  /** The same for {@code InitProcess}. */
  private void init(Instruction.Init init, OsString command) {
    fork("[CHLD]");
    addAll(init.child(), command);
    lines.add(
        "in process 1, which passes on what it reads from the lifeline, reaps, and ends with the"
            + " command or when nobody has the lifeline's other end:");
    lines.add("      prctl(PR_SET_NAME, \"cloister-init\", 0, 0, 0)");
    init.waiting().forEach(each -> addLast(each, command));
    lines.add("      ppoll([signals, lifeline], NULL)");
    lines.add("      read(signals, signal, 128)");
    lines.add("      wait4(-1, status, WNOHANG, NULL)");
    addStatus(init.status());
    lines.add("      exit_group(status)");
  }

  private void addStatus(OptionalInt descriptor) {
    descriptor.ifPresent(number -> lines.add("      write(%d, status, 152)".formatted(number)));
  }

  private void fork(String signals) {
    lines.add("      rt_sigprocmask(SIG_BLOCK, %s, old_mask, 8)".formatted(signals));
    lines.add("      signalfd4(-1, %s, 8, SFD_CLOEXEC)".formatted(signals));
    lines.add("      clone(SIGCHLD, NULL, NULL, NULL, 0)");
    lines.add("in the child:");
    lines.add("      rt_sigprocmask(SIG_SETMASK, old_mask, NULL, 8)");
    lines.add("      close(signals)");
  }

  private void addLast(Instruction instruction, OsString command) {
    if (instruction instanceof Instruction.Call call) {
      addWithoutNumber(call);
    } else {
      add(instruction, command);
    }
  }

  private void addWithoutNumber(Instruction.Call call) {
    lines.add("      " + CText.assignment(call));
  }

  /** The calls of the code that {@code CgroupRemoval} writes; whatever they say, it goes on. */
  private void removeCgroup(Instruction.RemoveCgroup remove) {
    String place = remove.place().name();
    lines.add("      openat(%s, %s, O_WRONLY|O_CLOEXEC)".formatted(place, remove.kill().name()));
    lines.add("      write(kill, \"1\", 1)");
    for (Buffer name : List.of(remove.inner(), remove.outer())) {
      lines.add("      unlinkat(%s, %s, AT_REMOVEDIR)".formatted(place, name.name()));
    }
    lines.add("      nanosleep(1 ms)  # and again, while that says EBUSY");
  }

  private static String where(OsString command, Instruction.SearchPath path) {
    if (command.indexOf('/') >= 0) {
      return "";
    }
    return switch (path) {
      case CALLER -> "  # found through the caller's PATH";
      case COMMAND -> "  # found through the new PATH, inside";
    };
  }
}
