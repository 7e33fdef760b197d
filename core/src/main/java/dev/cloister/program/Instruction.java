package dev.cloister.program;

import dev.cloister.ffm.Errno;
import dev.cloister.ffm.LinuxConstant;
import dev.cloister.ffm.SystemCall;
import dev.cloister.host.CallerKind;
import dev.cloister.spec.EnvironmentRules;
import dev.cloister.spec.OsString;
import dev.cloister.spec.Timeout;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/** One instruction of a {@link SyscallProgram}. */
public sealed interface Instruction {
  /**
   * Calls the method of {@code visitor} for this kind of instruction, as {@link Operand#accept}.
   */
  void accept(Visitor visitor);

  /** What to do with each kind of instruction. */
  interface Visitor {
    void call(Call call);

    void expectFailure(ExpectFailure expect);

    void closeListed(CloseListed close);

    void restrictEach(RestrictEach restrict);

    void freeStandardDescriptors(FreeStandardDescriptors free);

    void enterHome(EnterHome enter);

    void nameDirectory(NameDirectory name);

    void filterEnvironment(FilterEnvironment filter);

    void executeCommand(ExecuteCommand execute);

    void executeProgram(ExecuteProgram execute);

    void supervise(Supervise supervise);

    void init(Init init);

    void requireParent(RequireParent require);

    void requireLifeline(RequireLifeline require);

    void say(Say say);

    void attempt(Attempt attempt);

    void protectVariable(ProtectVariable protect);

    void restoreVariable(RestoreVariable restore);

    void compose(Compose compose);

    void requireVariable(RequireVariable require);

    void recognizeCaller(RecognizeCaller recognize);

    void onlyFor(OnlyFor only);

    void ifSet(IfSet choice);

    void ifArgument(IfArgument choice);

    void awaitCommand(AwaitCommand await);

    void sendDescriptor(SendDescriptor send);

    void forEach(ForEach loop);

    void terminate(Terminate terminate);

    void requireText(RequireText require);

    void copyData(CopyData copy);

    void awaitInput(AwaitInput await);

    void requireSameFile(RequireSameFile require);

    void removeCgroup(RemoveCgroup remove);

    void exit(Exit exit);
  }

  /**
   * A system call. An errno that nothing here expects ends the program with a report.
   *
   * @param result where the result goes
   * @param retried errnos after which the call is made again, at most {@link #MAX_RETRIES} times
   * @param until if present, the call is repeated until it fails with this errno
   * @param recoveries what to do instead, by errno; an empty list tolerates it
   * @param hints what a person should know, by errno, where the kernel's word misleads
   */
  record Call(
      SystemCall call,
      List<Operand> operands,
      Optional<Slot> result,
      Set<Errno> retried,
      Optional<Errno> until,
      Map<Errno, List<Instruction>> recoveries,
      Map<Errno, String> hints)
      implements Instruction {
    public Call {
      operands = List.copyOf(operands);
      retried = retried.isEmpty() ? Set.of() : Collections.unmodifiableSet(new TreeSet<>(retried));
      recoveries = inOrder(recoveries);
      hints = inOrder(hints);
    }

    /** Map.copyOf has another order in every JVM, and so would the compiled program. */
    private static <T> Map<Errno, T> inOrder(Map<Errno, T> map) {
      // Nearly always so, for each of the hundreds of calls of a start that shall be quick.
      if (map.size() < 2) {
        return Map.copyOf(map);
      }
      return Collections.unmodifiableMap(new TreeMap<>(map));
    }

    private static <T> Map<Errno, T> with(Map<Errno, T> map, Errno errno, T value) {
      if (map.isEmpty()) {
        return Map.of(errno, value);
      }
      Map<Errno, T> more = new TreeMap<>(map);
      more.put(errno, value);
      return more;
    }

    @Override
    public void accept(Visitor visitor) {
      visitor.call(this);
    }

    public static Call of(SystemCall call, Operand... operands) {
      return new Call(
          call,
          List.of(operands),
          Optional.empty(),
          Set.of(),
          Optional.empty(),
          Map.of(),
          Map.of());
    }

    /** Keeps the result in {@code slot}. */
    public Call into(Slot slot) {
      return new Call(call, operands, Optional.of(slot), retried, until, recoveries, hints);
    }

    public Call retry(Errno errno) {
      Set<Errno> more = new TreeSet<>(retried);
      more.add(errno);
      return new Call(call, operands, result, more, until, recoveries, hints);
    }

    /** Repeats the call until it fails with {@code errno}. */
    public Call until(Errno errno) {
      return new Call(call, operands, result, retried, Optional.of(errno), recoveries, hints);
    }

    /** Goes on as if nothing had happened after any of these. */
    public Call tolerate(Errno... errnos) {
      Call tolerant = this;
      for (Errno errno : errnos) {
        tolerant = tolerant.recover(errno, List.of());
      }
      return tolerant;
    }

    /** Runs {@code instead} after {@code errno}, and then goes on. */
    public Call recover(Errno errno, List<Instruction> instead) {
      Map<Errno, List<Instruction>> more = with(recoveries, errno, List.copyOf(instead));
      return new Call(call, operands, result, retried, until, more, hints);
    }

    public Call hint(Errno errno, String text) {
      return new Call(call, operands, result, retried, until, recoveries, with(hints, errno, text));
    }
  }

  /**
   * A system call that must not succeed. If it does, the program ends with 125. One that fails with
   * an errno which the call tolerates is as it should be; any other is reported as of every call.
   *
   * @param otherwise what to say of a success
   */
  record ExpectFailure(Call call, String otherwise) implements Instruction {
    @Override
    public void accept(Visitor visitor) {
      visitor.expectFailure(this);
    }
  }

  /**
   * Closes every descriptor from some number on that a directory lists, one by one, and then the
   * directory's own. What close_range(2) does in one call; descriptors above a lowered limit are
   * listed too.
   *
   * @param directory {@code /proc/self/fd}, open for reading
   * @param whose which of them
   * @param kept what is left open of those, by number; the directory, too, if it is among them
   */
  record CloseListed(Slot directory, int first, Whose whose, List<Operand> kept)
      implements Instruction {
    public CloseListed {
      kept = List.copyOf(kept);
    }

    /** All of them. */
    public CloseListed(Slot directory, int first) {
      this(directory, first, Whose.ANYONES, List.of());
    }

    /**
     * Who opened them. What a caller leaves open for a program was not closed when that was
     * executed, and what this program opens will be (execve(2), FD_CLOEXEC).
     */
    public enum Whose {
      ANYONES,
      /** Those that execve(2) will close. */
      OWN,
      /** Those that execve(2) leaves open. */
      CALLERS
    }

    /** Whether the directory's own descriptor is closed in the end. */
    public boolean closesDirectory() {
      for (Operand operand : kept) {
        // By name: the first comparison of two records links code at run time.
        if (operand instanceof Operand.Result result
            && result.slot().name().equals(directory.name())) {
          return false;
        }
      }
      return true;
    }

    @Override
    public void accept(Visitor visitor) {
      visitor.closeListed(this);
    }
  }

  /**
   * Closes again what took the place of a standard descriptor that the caller had closed. Every
   * program takes those places when it starts, and frees them when it executes the command; one
   * that starts another program leaves them taken, for that one to do this.
   */
  record FreeStandardDescriptors() implements Instruction {
    @Override
    public void accept(Visitor visitor) {
      visitor.freeStandardDescriptors(this);
    }
  }

  /**
   * Remounts each mount below a directory with the flags it has and those it shall have: what
   * mount_setattr(2) does to a whole tree. Mounts that nobody can reach are left as they are.
   *
   * @param mountinfo {@code /proc/self/mountinfo}, open for reading
   * @param directory in which the first letter of each name says the flags: {@link #letter}
   */
  record RestrictEach(Slot mountinfo, OsString directory) implements Instruction {
    /** As a letter, a combination of MS_RDONLY, MS_NOSUID, MS_NODEV and MS_NOEXEC: 0 to 15. */
    public static char letter(long flags) {
      return (char) (NONE + flags);
    }

    /** The letter of no flag at all. */
    public static final char NONE = 'a';

    @Override
    public void accept(Visitor visitor) {
      visitor.restrictEach(this);
    }
  }

  /**
   * Goes to the directory that {@code HOME} names in the command's environment, if there is one.
   */
  record EnterHome() implements Instruction {
    @Override
    public void accept(Visitor visitor) {
      visitor.enterHome(this);
    }
  }

  /**
   * Adds a variable to the command's environment with the working directory as its value. Where
   * that has no name, it is the root's.
   */
  record NameDirectory(OsString variable) implements Instruction {
    @Override
    public void accept(Visitor visitor) {
      visitor.nameDirectory(this);
    }
  }

  /** Makes the environment that later instructions and the command see. */
  record FilterEnvironment(EnvironmentRules rules) implements Instruction {
    @Override
    public void accept(Visitor visitor) {
      visitor.filterEnvironment(this);
    }
  }

  /**
   * Replaces the process with the command, whose arguments are the program's own from some index.
   * Ends with 127 if it is not found and 126 if it cannot be executed.
   *
   * @param name what the command gets as its argument 0, if not the word by which it was found
   * @param executed has the address of a number that is 1 if and when this succeeds, and else 0
   */
  record ExecuteCommand(SearchPath searchPath, Optional<OsString> name, Optional<Slot> executed)
      implements Instruction {
    /** The command by its own name, without a note of it. */
    public ExecuteCommand(SearchPath searchPath) {
      this(searchPath, Optional.empty());
    }

    /** The same by any name. */
    public ExecuteCommand(SearchPath searchPath, Optional<OsString> name) {
      this(searchPath, name, Optional.empty());
    }

    @Override
    public void accept(Visitor visitor) {
      visitor.executeCommand(this);
    }
  }

  /**
   * Replaces the process with a fixed program, whose arguments are followed by the command's.
   *
   * @param arguments argument 0 first
   */
  record ExecuteProgram(OsString path, List<OsString> arguments) implements Instruction {
    public ExecuteProgram {
      arguments = List.copyOf(arguments);
    }

    @Override
    public void accept(Visitor visitor) {
      visitor.executeProgram(this);
    }
  }

  /**
   * Runs {@code child} in a new process and ends as it ends, with 128+n for signal n. Signals that
   * a process sends here are passed on to the command.
   *
   * @param started how to know whether the command was reached; empty if the child becomes it
   * @param lifeline a pipe(2) that tells the child when this process has ended; afterwards the slot
   *     has the end that is this process's
   * @param relay whether signals go through the lifeline, to an {@link Init}, or else to the child
   * @param parent a pidfd of a process with which the command shall end
   * @param timeout after which the command is ended, and the status is 124
   * @param terminal whether the terminal's signals are passed on, too: it does not send them to a
   *     command in another session
   * @param waiting what this process does before it waits; what fails of it is of no importance
   * @param after what it does when the child has ended, or could not be made; likewise
   * @param status a descriptor on which it then says how: two 32-bit little-endian numbers, {@link
   *     Attempt#ENDED} and the status as wait4(2) has it, and the {@code struct rusage}
   * @param killer a signal on which the child is killed, and this process ends likewise, but after
   *     it
   * @param report how it tells a program in the end how the command ended
   */
  record Supervise(
      List<Instruction> child,
      Optional<Started> started,
      Optional<Slot> lifeline,
      boolean relay,
      Optional<Slot> parent,
      Optional<Timeout> timeout,
      boolean terminal,
      List<Instruction> waiting,
      List<Instruction> after,
      OptionalInt status,
      Optional<LinuxConstant> killer,
      Optional<ExitReport> report)
      implements Instruction {
    /** The status of a command that took too long, as timeout(1) has it. */
    public static final int TIMED_OUT = 124;

    public Supervise {
      child = List.copyOf(child);
      waiting = List.copyOf(waiting);
      after = List.copyOf(after);
    }

    /**
     * Between this process and the command is another program.
     *
     * @param event an eventfd(2), non-blocking, to which the child writes the command's process id
     *     once all is set up; if it ends before, the set-up failed
     * @param failure what to say then
     */
    public record Started(Slot event, String failure) {}

    /**
     * Says with what status the command ended, as JSON, if there was one.
     *
     * @param executed as {@link ExecuteCommand#executed} of the child's
     */
    public record ExitReport(int descriptor, Slot executed) {}

    /** Passes signals on to the child, and nothing more. */
    public static Supervise of(List<Instruction> child) {
      return new Supervise(
          child,
          Optional.empty(),
          Optional.empty(),
          false,
          Optional.empty(),
          Optional.empty(),
          false,
          List.of(),
          List.of(),
          OptionalInt.empty(),
          Optional.empty(),
          Optional.empty());
    }

    /** The same with another child. */
    public Supervise running(List<Instruction> other) {
      return new Supervise(
          other, started, lifeline, relay, parent, timeout, terminal, waiting, after, status,
          killer, report);
    }

    public Supervise through(Started other) {
      return new Supervise(
          child,
          Optional.of(other),
          lifeline,
          relay,
          parent,
          timeout,
          terminal,
          waiting,
          after,
          status,
          killer,
          report);
    }

    public Supervise withLifeline(Slot pipe) {
      return new Supervise(
          child,
          started,
          Optional.of(pipe),
          relay,
          parent,
          timeout,
          terminal,
          waiting,
          after,
          status,
          killer,
          report);
    }

    public Supervise relaying(Slot pipe) {
      return new Supervise(
          child,
          started,
          Optional.of(pipe),
          true,
          parent,
          timeout,
          terminal,
          waiting,
          after,
          status,
          killer,
          report);
    }

    public Supervise endingWith(Slot process) {
      return new Supervise(
          child,
          started,
          lifeline,
          relay,
          Optional.of(process),
          timeout,
          terminal,
          waiting,
          after,
          status,
          killer,
          report);
    }

    public Supervise within(Timeout limit) {
      return new Supervise(
          child,
          started,
          lifeline,
          relay,
          parent,
          Optional.of(limit),
          terminal,
          waiting,
          after,
          status,
          killer,
          report);
    }

    public Supervise passingOnTheTerminals() {
      return new Supervise(
          child, started, lifeline, relay, parent, timeout, true, waiting, after, status, killer,
          report);
    }

    public Supervise waiting(List<? extends Instruction> instructions) {
      return new Supervise(
          child,
          started,
          lifeline,
          relay,
          parent,
          timeout,
          terminal,
          List.copyOf(instructions),
          after,
          status,
          killer,
          report);
    }

    public Supervise after(List<Instruction> instructions) {
      return new Supervise(
          child,
          started,
          lifeline,
          relay,
          parent,
          timeout,
          terminal,
          waiting,
          instructions,
          status,
          killer,
          report);
    }

    public Supervise sayingOn(OptionalInt descriptor) {
      return new Supervise(
          child,
          started,
          lifeline,
          relay,
          parent,
          timeout,
          terminal,
          waiting,
          after,
          descriptor,
          killer,
          report);
    }

    public Supervise killedBy(LinuxConstant signal) {
      return new Supervise(
          child,
          started,
          lifeline,
          relay,
          parent,
          timeout,
          terminal,
          waiting,
          after,
          status,
          Optional.of(signal),
          report);
    }

    public Supervise reporting(Optional<ExitReport> other) {
      return new Supervise(
          child, started, lifeline, relay, parent, timeout, terminal, waiting, after, status,
          killer, other);
    }

    @Override
    public void accept(Visitor visitor) {
      visitor.supervise(this);
    }
  }

  /**
   * Process 1 of a pid namespace: runs {@code child} in a new process, reaps what is orphaned, and
   * ends as the child ends, and with it whatever else is in the namespace (pid_namespaces(7)).
   *
   * @param lifeline the reading end of a pipe from which it takes signals for the child; when there
   *     is nobody to write to it any more, all ends
   * @param waiting what this process does before it waits; what fails of it is of no importance
   * @param status as for {@link Supervise}
   */
  record Init(
      List<Instruction> child, Operand lifeline, List<Instruction> waiting, OptionalInt status)
      implements Instruction {
    /** The same with another child. */
    public Init running(List<Instruction> other) {
      return new Init(other, lifeline, waiting, status);
    }

    public Init {
      child = List.copyOf(child);
      waiting = List.copyOf(waiting);
    }

    @Override
    public void accept(Visitor visitor) {
      visitor.init(this);
    }
  }

  /** Ends the program with a message unless the parent of this process is still the same. */
  record RequireParent(Slot parent) implements Instruction {
    @Override
    public void accept(Visitor visitor) {
      visitor.requireParent(this);
    }
  }

  /** Ends the program unless the process at the other end of a lifeline is still there. */
  record RequireLifeline(Operand pipe) implements Instruction {
    @Override
    public void accept(Visitor visitor) {
      visitor.requireLifeline(this);
    }
  }

  /** Tells a person what is not as expected, on standard error, and goes on. */
  record Say(String text) implements Instruction {
    @Override
    public void accept(Visitor visitor) {
      visitor.say(this);
    }
  }

  /**
   * Runs {@code child} in a new process, reports on standard output how that ended, and goes on
   * whatever it was: two 32-bit little-endian numbers, {@link #ENDED} and the status as wait4(2)
   * has it.
   */
  record Attempt(List<Instruction> child) implements Instruction {
    /** No step has this number. */
    public static final int ENDED = -1;

    public Attempt {
      child = List.copyOf(child);
    }

    @Override
    public void accept(Visitor visitor) {
      visitor.attempt(this);
    }
  }

  /**
   * Keeps the value of a variable from a program that sets it: adds the variable, if it is set,
   * once more. setenv(3) changes the first only; {@link RestoreVariable} then removes that one.
   */
  record ProtectVariable(String name) implements Instruction {
    @Override
    public void accept(Visitor visitor) {
      visitor.protectVariable(this);
    }
  }

  /** Removes the first variable of this name. */
  record RestoreVariable(String name) implements Instruction {
    @Override
    public void accept(Visitor visitor) {
      visitor.restoreVariable(this);
    }
  }

  /**
   * Makes a text that is known only when the program runs.
   *
   * @param into large enough for all parts together and a NUL
   * @param parts {@link Operand.Text}, {@link Operand.Address} of a text with a NUL, or {@link
   *     Operand.Result} or {@link Operand.Member} for a number written in decimal
   * @param length gets how many bytes that is, without the NUL
   */
  record Compose(Buffer into, List<Operand> parts, Slot length) implements Instruction {
    public Compose {
      parts = List.copyOf(parts);
    }

    @Override
    public void accept(Visitor visitor) {
      visitor.compose(this);
    }

    /** The format by which sprintf(3) would make it. */
    public OsString format() {
      OsString format = OsString.of("");
      for (Operand part : parts) {
        OsString other = OsString.of(part instanceof Operand.Address ? "%s" : "%d");
        format = format.concat(part instanceof Operand.Text text ? text.value() : other);
      }
      return format;
    }

    /** What the format's numbers and texts come from. */
    public List<String> arguments() {
      List<String> arguments = new ArrayList<>();
      for (Operand part : parts) {
        if (!(part instanceof Operand.Text)) {
          arguments.add(part.text());
        }
      }
      return arguments;
    }
  }

  /** Ends the program with this message, unless the caller's environment has the variable. */
  record RequireVariable(OsString name, String otherwise) implements Instruction {
    @Override
    public void accept(Visitor visitor) {
      visitor.requireVariable(this);
    }
  }

  /**
   * Finds out who runs the program, for {@link OnlyFor} and for {@link #UID} and {@link #GID}; ends
   * it where the file is set-user-ID or set-group-ID, which lends its caller rights that Cloister
   * would hand on.
   */
  record RecognizeCaller() implements Instruction {
    /** The effective ids, as numbers. */
    public static final Slot UID = new Slot("uid");

    public static final Slot GID = new Slot("gid");

    /** The {@link CallerKind#bit} of the caller's kind. */
    public static final Slot KIND = new Slot("kind");

    @Override
    public void accept(Visitor visitor) {
      visitor.recognizeCaller(this);
    }
  }

  /** What is done for callers of these kinds alone, once the caller is recognized. */
  record OnlyFor(Set<CallerKind> kinds, List<Instruction> steps) implements Instruction {
    public OnlyFor {
      kinds = Collections.unmodifiableSet(EnumSet.copyOf(kinds));
      steps = List.copyOf(steps);
    }

    @Override
    public void accept(Visitor visitor) {
      visitor.onlyFor(this);
    }
  }

  /**
   * Ends a text with NUL that the kernel wrote without one, as readlink(2) does.
   *
   * @param text longer than {@code length}
   */
  record Terminate(Buffer text, Slot length) implements Instruction {
    @Override
    public void accept(Visitor visitor) {
      visitor.terminate(this);
    }
  }

  /**
   * Ends the program unless a text that the kernel wrote is the expected one.
   *
   * @param text ends with NUL: {@link Terminate}
   * @param otherwise the message, which the text follows
   */
  record RequireText(Buffer text, OsString expected, String otherwise) implements Instruction {
    @Override
    public void accept(Visitor visitor) {
      visitor.requireText(this);
    }
  }

  /**
   * Copies all that can be read from one descriptor, to its end, to another (read(2), write(2)).
   *
   * @param what for a person, behind what went wrong
   * @param lifeline for process 1 of a pid namespace: as for {@link AwaitInput}
   */
  record CopyData(int from, Slot to, String what, Optional<Operand> lifeline)
      implements Instruction {
    @Override
    public void accept(Visitor visitor) {
      visitor.copyData(this);
    }
  }

  /**
   * Waits, as process 1 of a pid namespace, for something to read from a descriptor, or its end.
   * Ends the program meanwhile as a signal would end another process.
   *
   * @param lifeline the reading end of a pipe through which signals may come, too
   */
  record AwaitInput(int descriptor, Operand lifeline) implements Instruction {
    @Override
    public void accept(Visitor visitor) {
      visitor.awaitInput(this);
    }
  }

  /**
   * Ends the program unless two files are the same one.
   *
   * @param one what statx(2) says of one, at least {@code STATX_INO}
   * @param other the same of the other
   * @param otherwise the message
   */
  record RequireSameFile(Buffer one, Buffer other, String otherwise) implements Instruction {
    @Override
    public void accept(Visitor visitor) {
      visitor.requireSameFile(this);
    }
  }

  /**
   * Does the same for each of several texts. The calls have the same numbers each time.
   *
   * @param each gets the address of the text, so that it is one as an operand
   * @param texts not empty, none of them empty
   * @param cleared set to 0 before each time
   */
  record ForEach(Slot each, List<OsString> texts, List<Slot> cleared, List<Instruction> steps)
      implements Instruction {
    public ForEach {
      texts = List.copyOf(texts);
      cleared = List.copyOf(cleared);
      steps = List.copyOf(steps);
      if (texts.isEmpty() || texts.contains(OsString.of(""))) {
        throw new IllegalArgumentException("an empty text ends them");
      }
    }

    @Override
    public void accept(Visitor visitor) {
      visitor.forEach(this);
    }
  }

  /**
   * Depends on whether a call was made and said something else than 0, such as a descriptor. The
   * calls on both ways have numbers of their own.
   */
  record IfSet(Slot slot, List<Instruction> then, List<Instruction> otherwise)
      implements Instruction {
    public IfSet {
      then = List.copyOf(then);
      otherwise = List.copyOf(otherwise);
    }

    @Override
    public void accept(Visitor visitor) {
      visitor.ifSet(this);
    }
  }

  /** Depends on whether one of the launcher's own arguments is not empty. */
  record IfArgument(int index, List<Instruction> then) implements Instruction {
    public IfArgument {
      then = List.copyOf(then);
    }

    @Override
    public void accept(Visitor visitor) {
      visitor.ifArgument(this);
    }
  }

  /**
   * Waits for arguments and environment, and for what becomes the standard descriptors, as if the
   * program had been started with those. Ends with 125 if whoever could send them is gone.
   *
   * <p>They come through a socket as one message: 32-bit little-endian words that say how many
   * bytes follow, how many strings of these are arguments, and how many variables, and a word of 0;
   * then the strings, each with a NUL. With the first byte come the three descriptors (unix(7),
   * SCM_RIGHTS).
   *
   * @param socket its descriptor
   */
  record AwaitCommand(int socket) implements Instruction {
    @Override
    public void accept(Visitor visitor) {
      visitor.awaitCommand(this);
    }
  }

  /**
   * Sends a copy of a descriptor and a word, as one message (unix(7), SCM_RIGHTS).
   *
   * @param required whether the program ends if that does not work
   */
  record SendDescriptor(int socket, Slot descriptor, int word, boolean required)
      implements Instruction {
    @Override
    public void accept(Visitor visitor) {
      visitor.sendDescriptor(this);
    }
  }

  /**
   * Kills whatever is left in a cgroup and removes it with the one in it, as well as that can be
   * done in a second. It takes a moment until a process that was killed is gone, and nobody says
   * when; what cannot be removed stays and is empty some time.
   *
   * @param place a descriptor of the directory that the cgroup is in
   * @param kill the name, from there, of its {@code cgroup.kill} (since Linux 5.14)
   * @param inner the name, from there, of the one in it
   * @param outer its own name
   */
  record RemoveCgroup(Slot place, Buffer kill, Buffer inner, Buffer outer) implements Instruction {
    @Override
    public void accept(Visitor visitor) {
      visitor.removeCgroup(this);
    }
  }

  /** Ends the program well. */
  record Exit() implements Instruction {
    @Override
    public void accept(Visitor visitor) {
      visitor.exit(this);
    }
  }

  /** Which {@code PATH} a command without a slash is looked up in. */
  enum SearchPath {
    /** The caller's, as env(1) does. */
    CALLER,
    /** The new environment's; {@code /usr/bin:/bin} if it has none. */
    COMMAND
  }

  /** The bound of {@link Call#retried}: openat2(2) says EAGAIN for as long as others rename. */
  int MAX_RETRIES = 1000;

  /** All calls of a list in order, those in recoveries left out. */
  static List<Call> mainCalls(List<Instruction> instructions) {
    List<Call> calls = new ArrayList<>();
    for (Instruction instruction : instructions) {
      // No other kind makes a call that has a number.
      if (instruction instanceof Call call) {
        calls.add(call);
      } else if (instruction instanceof ExpectFailure expect) {
        calls.add(expect.call());
      } else if (instruction instanceof Supervise supervise) {
        calls.addAll(mainCalls(supervise.child()));
      } else if (instruction instanceof Init init) {
        calls.addAll(mainCalls(init.child()));
      } else if (instruction instanceof Attempt attempt) {
        calls.addAll(mainCalls(attempt.child()));
      } else if (instruction instanceof OnlyFor only) {
        calls.addAll(mainCalls(only.steps()));
      } else if (instruction instanceof IfSet choice) {
        calls.addAll(mainCalls(choice.then()));
        calls.addAll(mainCalls(choice.otherwise()));
      } else if (instruction instanceof IfArgument choice) {
        calls.addAll(mainCalls(choice.then()));
      } else if (instruction instanceof ForEach loop) {
        calls.addAll(mainCalls(loop.steps()));
      }
    }
    return calls;
  }
}
