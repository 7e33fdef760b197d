package dev.cloister.strategies.landlock;

import dev.cloister.ffm.LinuxConstant;
import dev.cloister.host.HostReport;
import dev.cloister.host.Workaround;
import dev.cloister.program.Instruction;
import dev.cloister.program.Operand;
import dev.cloister.program.Slot;
import dev.cloister.program.SyscallProgram;
import dev.cloister.recipe.Credentials;
import dev.cloister.recipe.InheritedDescriptors;
import dev.cloister.recipe.LandlockDomain;
import dev.cloister.recipe.NativeProgram;
import dev.cloister.recipe.ProcessTree;
import dev.cloister.recipe.ResourceLimits;
import dev.cloister.recipe.Steps;
import dev.cloister.spec.SandboxSpec;
import dev.cloister.strategy.Assessment;
import dev.cloister.strategy.Guarantee;
import dev.cloister.strategy.IsolationStrategy;
import dev.cloister.strategy.PlanException;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Takes from the command every right to files but those that binds give, in place: for hosts where
 * neither namespaces nor mounts can be made. There is no new root and no file system of its own, so
 * what needs one is refused ({@link Demands}).
 *
 * <p>Reading, writing, executing, making, removing, renaming and truncating can be forbidden since
 * Linux 6.2 (ABI 3), and no less is taken: before that, the command could empty files it cannot
 * open. docs/adr/0009-landlock.md says what is left open.
 */
public final class Landlock implements IsolationStrategy {
  private static final Slot PLACE = new Slot("place");

  private static final List<LinuxConstant> SCOPES =
      List.of(
          LinuxConstant.LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET, LinuxConstant.LANDLOCK_SCOPE_SIGNAL);

  @Override
  public String name() {
    return "landlock";
  }

  @Override
  public boolean hasOwnView() {
    return false;
  }

  @Override
  public Assessment assess(SandboxSpec spec, HostReport host) {
    return new Demands(spec, host).assess();
  }

  /**
   * Not that what is bound read-only is so: its owner may change modes, times and attributes. Nor
   * that the command has no way to the host's root: it is there, and its directories have names.
   */
  @Override
  public Set<Guarantee> guarantees(SandboxSpec spec, HostReport host) {
    Set<Guarantee> given = EnumSet.noneOf(Guarantee.class);
    given.addAll(Credentials.inPlace(host, spec).guarantees());
    if (!spec.descriptors().inherited()) {
      given.add(Guarantee.NO_INHERITED_DESCRIPTORS);
    }
    if (!ProcessTree.waits(spec)) {
      given.add(Guarantee.IN_PLACE);
    }
    return given;
  }

  @Override
  public List<String> caveats(HostReport host) {
    List<String> open = new ArrayList<>();
    open.add("to see that a file exists, its size, owner and mode, wherever it is");
    open.add("to change modes, owners, times and attributes, even of what is read-only");
    open.add("to use sockets that lie in the file system, such as a container engine's");
    open.add("to use the host's network and IPC and to see its processes");
    if (host.needs(Workaround.LANDLOCK_WITHOUT_SCOPES)) {
      open.add("to send signals to the user's other processes and to use abstract sockets");
    }
    if (host.needs(Workaround.LANDLOCK_WITHOUT_IOCTL)) {
      open.add("to use ioctl(2) on devices of writable places");
    }
    return List.of(
        "landlock only forbids files where they are: there is no new root, no mount and no"
            + " namespace",
        "landlock leaves open, as far as the user may: " + String.join("; ", open));
  }

  /**
   * The rules are made as the command's user and without capabilities, so that a place it cannot
   * reach is an error. What comes after the domain needs no {@code /proc}, which may be forbidden
   * then: all descriptors are closed before, and those of the domain one by one.
   */
  @Override
  public SyscallProgram plan(SandboxSpec spec, HostReport host) throws PlanException {
    ProcessTree processes = new ProcessTree(spec, Optional.empty());
    List<Instruction> last = new ArrayList<>(enterDomain(spec, host));
    last.addAll(NativeProgram.becomeCommand(spec));
    List<Instruction> inside = new ArrayList<>();
    inside.addAll(Credentials.inPlace(host, spec).becomeCommandUser());
    inside.addAll(Credentials.giveUpCapabilities());
    inside.addAll(NativeProgram.awaitCaller(spec, processes));
    inside.add(new Instruction.FilterEnvironment(spec.environment()));
    inside.addAll(command(spec, processes, last));
    List<Instruction> steps = new ArrayList<>(NativeProgram.startClean(spec));
    steps.addAll(ResourceLimits.raise(spec.limits(), host));
    steps.addAll(processes.prepare());
    steps.addAll(NativeProgram.rememberDirectory(spec));
    if (spec.descriptors().inherited()) {
      // For who waits; the command's own is opened by the process that becomes it.
      steps.add(Credentials.openProc());
    }
    steps.addAll(processes.sandbox(inside));
    return new SyscallProgram(name(), steps);
  }

  /** Nothing is open that would have to be closed unless a process waits. */
  private static List<Instruction> command(
      SandboxSpec spec, ProcessTree processes, List<Instruction> last) {
    if (!ProcessTree.waits(spec)) {
      return processes.inPlace(last);
    }
    List<Instruction> steps = new ArrayList<>(List.of(Credentials.openProc()));
    steps.addAll(processes.command(last, Operand.of(Credentials.PROC)));
    return steps;
  }

  private static List<Instruction> enterDomain(SandboxSpec spec, HostReport host)
      throws PlanException {
    List<Rule> rules = Rule.of(spec.mounts(), host);
    List<LinuxConstant> handled = Rule.handled(host);
    InheritedDescriptors descriptors = new InheritedDescriptors(spec);
    int number = LandlockDomain.placeNumber(descriptors);
    List<Instruction> steps = new ArrayList<>(descriptors.requireFree(number));
    steps.add(
        host.needs(Workaround.LANDLOCK_WITHOUT_SCOPES)
            ? LandlockDomain.create(handled)
            : LandlockDomain.create(handled, SCOPES));
    for (Rule rule : rules) {
      steps.add(Steps.openUnlinked(rule.place().absolute(), PLACE));
      steps.addAll(LandlockDomain.allow(PLACE, rule.rights(host), number));
      steps.add(Steps.close(PLACE));
    }
    steps.add(LandlockDomain.enter());
    steps.addAll(LandlockDomain.close(!rules.isEmpty(), number));
    return steps;
  }
}
