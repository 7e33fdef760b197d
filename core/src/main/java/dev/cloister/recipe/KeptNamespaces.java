package dev.cloister.recipe;

import dev.cloister.ffm.LinuxConstant;
import dev.cloister.ffm.SystemCall;
import dev.cloister.program.Instruction;
import dev.cloister.program.Instruction.Call;
import dev.cloister.program.Operand;
import dev.cloister.program.Slot;
import dev.cloister.spec.Handover;
import dev.cloister.spec.Namespace;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * Namespaces that one process makes and another enters: they are there as long as anybody has a
 * descriptor of them (namespaces(7)).
 */
final class KeptNamespaces {
  private final List<Kept> all;

  /**
   * One of them.
   *
   * @param file its name in {@code /proc/self/ns}
   */
  private record Kept(String file, LinuxConstant flag) {}

  private KeptNamespaces(List<Kept> all) {
    this.all = all;
  }

  /**
   * The mount namespace and these.
   *
   * @param withUser whether a user namespace owns them: who enters that has the capabilities that
   *     the others need
   */
  static KeptNamespaces of(boolean withUser, Set<Namespace> namespaces) {
    List<Kept> all = new ArrayList<>();
    if (withUser) {
      all.add(new Kept("user", LinuxConstant.CLONE_NEWUSER));
    }
    all.add(new Kept("mnt", LinuxConstant.CLONE_NEWNS));
    for (Namespace namespace : Namespace.values()) {
      if (namespaces.contains(namespace)) {
        all.add(new Kept(namespace.word(), namespace.flag()));
      }
    }
    return new KeptNamespaces(all);
  }

  /** What who enters them is handed over. */
  Handover entering() {
    return Handover.entering(all.size());
  }

  /** Gives them to who started this, says that these are all, and ends. */
  List<Instruction> giveAway(Handover handover) {
    List<Instruction> steps = new ArrayList<>();
    for (Kept kept : all) {
      Slot descriptor = new Slot(kept.file() + "_namespace");
      steps.add(Steps.open(Credentials.PROC, "self/ns/" + kept.file(), descriptor));
      steps.add(new Instruction.SendDescriptor(handover.report(), descriptor, Handover.KEEP));
    }
    steps.add(Channels.say(handover, Handover.READY));
    steps.add(new Instruction.Exit());
    return steps;
  }

  /**
   * Enters them (setns(2)); the root and the working directory are the sandbox's then. Their
   * descriptors stay open for now: their numbers must not become those of others, which are not
   * closed before the command.
   */
  List<Instruction> enter(Handover handover) {
    List<Instruction> steps = new ArrayList<>();
    for (int i = 0; i < all.size(); i++) {
      Operand number = Operand.of(handover.firstNamespace() + i);
      steps.add(Call.of(SystemCall.SETNS, number, Operand.of(all.get(i).flag())));
    }
    return steps;
  }
}
