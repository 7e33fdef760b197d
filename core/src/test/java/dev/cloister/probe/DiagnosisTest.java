package dev.cloister.probe;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.cloister.ffm.Errno;
import dev.cloister.ffm.LinuxConstant;
import dev.cloister.ffm.SystemCall;
import dev.cloister.host.Caller;
import dev.cloister.host.Evidence;
import dev.cloister.program.Instruction;
import dev.cloister.program.Instruction.Call;
import dev.cloister.program.Operand;
import dev.cloister.program.SyscallProgram;
import dev.cloister.strategy.Assessment;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Causes that cannot be provoked on every host; ProbeIT provokes the others. */
class DiagnosisTest {
  private static final Evidence NOTHING =
      new Evidence(Optional.of("100"), false, false, Optional.empty(), false);
  private static final Call UNSHARE =
      Call.of(SystemCall.UNSHARE, Operand.of(LinuxConstant.CLONE_NEWUSER));
  private static final Call MOUNT = Call.of(SystemCall.MOUNT).hint(Errno.EBUSY, "it is busy");

  private static Assessment.Unusable diagnose(
      int seccomp, Evidence evidence, Call call, Errno errno) {
    Caller caller = new Caller(1000, 1000, false, List.of(), true, 0, false, seccomp);
    SyscallProgram program = new SyscallProgram("test", List.<Instruction>of(call));
    return assertInstanceOf(
        Assessment.Unusable.class,
        new Diagnosis(caller, () -> evidence).of(program, new Outcome.Failure(1, errno.number())));
  }

  @Test
  void namesTheCallAndTheErrno() {
    Assessment.Unusable verdict = diagnose(0, NOTHING, UNSHARE, Errno.EPERM);
    assertTrue(
        verdict.reason().startsWith("unshare(CLONE_NEWUSER): EPERM (Operation not permitted)"),
        verdict::reason);
  }

  @Test
  void knowsTheLimit() {
    Evidence evidence = new Evidence(Optional.of("0"), false, false, Optional.empty(), false);
    Assessment.Unusable verdict = diagnose(0, evidence, UNSHARE, Errno.ENOSPC);
    assertTrue(verdict.reason().endsWith("user.max_user_namespaces is 0"), verdict::reason);
  }

  @Test
  void knowsTheSysctlOfDebian() {
    Evidence evidence = new Evidence(Optional.of("100"), true, false, Optional.empty(), false);
    Assessment.Unusable verdict = diagnose(0, evidence, UNSHARE, Errno.EPERM);
    assertTrue(verdict.reason().contains("unprivileged_userns_clone is 0"), verdict::reason);
  }

  @Test
  void knowsTheRestrictionOfUbuntu() {
    Evidence evidence = new Evidence(Optional.of("100"), false, true, Optional.empty(), false);
    Assessment.Unusable verdict = diagnose(0, evidence, MOUNT, Errno.EACCES);
    assertTrue(verdict.reason().contains("AppArmor"), verdict::reason);
    assertTrue(verdict.remedy().startsWith("install bubblewrap"), verdict::remedy);
  }

  @Test
  void blamesTheFilterWhereTheRestrictionWouldLetTheCallPass() {
    Evidence evidence =
        new Evidence(Optional.of("100"), false, true, Optional.of("docker (enforce)"), false);
    assertTrue(diagnose(2, evidence, UNSHARE, Errno.EPERM).reason().contains("seccomp filter"));
    assertTrue(diagnose(2, evidence, MOUNT, Errno.EPERM).reason().contains("AppArmor lets"));
  }

  @Test
  void namesTheProfileThatDeniesAMount() {
    Evidence evidence =
        new Evidence(Optional.of("100"), false, false, Optional.of("docker (enforce)"), false);
    Assessment.Unusable verdict = diagnose(2, evidence, MOUNT, Errno.EACCES);
    assertTrue(verdict.reason().contains("profile docker (enforce)"), verdict::reason);
    assertTrue(diagnose(2, evidence, MOUNT, Errno.EPERM).reason().contains("seccomp filter"));
  }

  @Test
  void knowsWhyBubblewrapMakesNoNamespace() {
    Evidence none = new Evidence(Optional.of("0"), false, false, Optional.empty(), false);
    Assessment.Unusable limit = ofBwrap(none, "bwrap: Creating new namespace failed: (ENOSPC)");
    assertTrue(limit.reason().endsWith("user.max_user_namespaces is 0"), limit::reason);
    assertTrue(limit.remedy().contains("sysctl user.max_user_namespaces"), limit::remedy);
    Evidence chroot = new Evidence(Optional.of("100"), false, false, Optional.empty(), true);
    Assessment.Unusable inside =
        ofBwrap(chroot, "bwrap: No permissions to create new namespace, likely because");
    assertTrue(inside.reason().contains("is in a chroot, and"), inside::reason);
  }

  @Test
  void doesNotAdviseBubblewrapWhereItFailsItself() {
    Evidence evidence = new Evidence(Optional.of("100"), false, true, Optional.empty(), false);
    Assessment.Unusable verdict = ofBwrap(evidence, "bwrap: setting up uid map: Permission denied");
    assertTrue(verdict.reason().contains("AppArmor"), verdict::reason);
    assertTrue(verdict.remedy().endsWith("for bwrap"), verdict::remedy);
  }

  @Test
  void guessesNoCauseForOtherWordsOfBubblewrap() {
    Assessment.Unusable verdict = ofBwrap(NOTHING, "bwrap: Can't find source path /x");
    assertEquals("bwrap: Can't find source path /x", verdict.reason());
  }

  private static Assessment.Unusable ofBwrap(Evidence evidence, String message) {
    Caller caller = new Caller(1000, 1000, false, List.of(), true, 0, false, 0);
    return assertInstanceOf(
        Assessment.Unusable.class,
        new Diagnosis(caller, () -> evidence)
            .of(new SyscallProgram("test", List.of()), new Outcome.Other(1, message)));
  }

  @Test
  void knowsASeccompFilter() {
    assertTrue(diagnose(2, NOTHING, UNSHARE, Errno.EPERM).reason().contains("seccomp filter"));
    assertTrue(diagnose(2, NOTHING, MOUNT, Errno.ENOSYS).reason().contains("seccomp filter"));
  }

  @Test
  void knowsAnOldKernel() {
    Assessment.Unusable verdict = diagnose(0, NOTHING, MOUNT, Errno.ENOSYS);
    assertTrue(verdict.reason().endsWith("this kernel does not have mount"), verdict::reason);
    assertEquals("a newer kernel", verdict.remedy());
  }

  @Test
  void knowsAChrootByItsRootThatIsNoMountPoint() {
    Evidence evidence = new Evidence(Optional.of("100"), false, false, Optional.empty(), true);
    assertTrue(
        diagnose(0, evidence, UNSHARE, Errno.EPERM).reason().contains("is in a chroot, and"));
  }

  @Test
  void takesTheHintOfTheCallForOtherErrnos() {
    assertEquals("it is busy", diagnose(0, NOTHING, MOUNT, Errno.EBUSY).remedy());
  }

  @Test
  void passesOnWhatAnotherProgramSaid() {
    Caller caller = new Caller(1000, 1000, false, List.of(), true, 0, false, 0);
    Diagnosis diagnosis = new Diagnosis(caller, () -> NOTHING);
    SyscallProgram program = new SyscallProgram("test", List.of());
    assertEquals(
        "it broke; badly",
        assertInstanceOf(
                Assessment.Unusable.class,
                diagnosis.of(program, new Outcome.Other(1, "it broke\nbadly")))
            .reason());
    assertEquals(Assessment.USABLE, diagnosis.of(program, new Outcome.Success()));
  }
}
