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
   * These, in the order in which they are entered.
   *
   * @param user whether with a user namespace, which owns the others: who enters it has the
   *     capabilities that they need
   * @param mounts whether with the mount namespace
   */
  static KeptNamespaces of(boolean user, boolean mounts, Set<Namespace> namespaces) {
    List<Kept> all = new ArrayList<>();
    if (user) {
      all.add(new Kept("user", LinuxConstant.CLONE_NEWUSER));
    }
    if (mounts) {
      all.add(new Kept("mnt", LinuxConstant.CLONE_NEWNS));
    }
    for (Namespace namespace : Namespace.values()) {
      if (namespaces.contains(namespace)) {
        all.add(new Kept(namespace.word(), namespace.flag()));
      }
    }
    return new KeptNamespaces(all);
  }

  int count() {
    return all.size();
  }

  /** Sends this process's own to who started it: without one of them there is no sandbox. */
  List<Instruction> send(Handover handover) {
    List<Instruction> steps = new ArrayList<>();
    for (Kept kept : all) {
      Slot descriptor = new Slot("namespace");
      steps.add(Steps.open(Credentials.PROC, "self/ns/" + kept.file(), descriptor));
      steps.add(new Instruction.SendDescriptor(handover.report(), descriptor, Handover.KEEP, true));
      steps.add(Steps.close(descriptor));
    }
    return steps;
  }

  /**
   * Enters them (setns(2)). Their descriptors stay open for now: their numbers must not become
   * those of others, which are not closed before the command.
   *
   * @param first the number of the first one's
   */
  List<Instruction> enter(int first) {
    List<Instruction> steps = new ArrayList<>();
    for (int i = 0; i < all.size(); i++) {
      steps.add(Call.of(SystemCall.SETNS, Operand.of(first + i), Operand.of(all.get(i).flag())));
    }
    return steps;
  }
}
