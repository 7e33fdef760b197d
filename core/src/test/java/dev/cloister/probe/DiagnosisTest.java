package dev.cloister.probe;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
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
import dev.cloister.program.Slot;
import dev.cloister.program.SyscallProgram;
import dev.cloister.recipe.Steps;
import dev.cloister.spec.OsString;
import dev.cloister.strategy.Assessment;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Causes that cannot be provoked on every host; ProbeIT provokes the others. */
class DiagnosisTest {
  private static final Evidence NOTHING =
      new Evidence(Map.of("user", "100"), false, false, Optional.empty(), false, List.of());
  private static final Call UNSHARE =
      Call.of(SystemCall.UNSHARE, Operand.of(LinuxConstant.CLONE_NEWUSER));
  private static final Call MOUNT =
      Call.of(SystemCall.MOUNT, Operand.of("a"), Operand.of("b"), Operand.NULL)
          .hint(Errno.EBUSY, "it is busy");

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
    Evidence evidence =
        new Evidence(Map.of("user", "0"), false, false, Optional.empty(), false, List.of());
    Assessment.Unusable verdict = diagnose(0, evidence, UNSHARE, Errno.ENOSPC);
    assertTrue(verdict.reason().endsWith("user.max_user_namespaces is 0"), verdict::reason);
  }

  @Test
  void blamesTheLimitThatIsInTheWay() {
    Evidence evidence =
        new Evidence(
            Map.of("user", "100", "net", "0"), false, false, Optional.empty(), false, List.of());
    Call network =
        Call.of(
            SystemCall.UNSHARE,
            Operand.of(LinuxConstant.CLONE_NEWUSER, LinuxConstant.CLONE_NEWNET));
    Assessment.Unusable verdict = diagnose(0, evidence, network, Errno.ENOSPC);
    assertTrue(verdict.reason().endsWith("user.max_net_namespaces is 0"), verdict::reason);
    assertTrue(verdict.remedy().contains("sysctl user.max_net_namespaces="), verdict::remedy);
    // Here the network's limit is not asked for, and the other is not 0: it need not be this one.
    Assessment.Unusable unknown = diagnose(0, evidence, UNSHARE, Errno.ENOSPC);
    assertTrue(unknown.reason().contains("or in an enclosing user namespace"), unknown::reason);
    assertTrue(unknown.reason().contains("user.max_user_namespaces is 100"), unknown::reason);
  }

  @Test
  void knowsTheCapabilityThatMapsRoot() {
    Call map = Call.of(SystemCall.WRITE, Operand.of(new Slot("uid_map")));
    SyscallProgram program = new SyscallProgram("test", List.<Instruction>of(map));
    Outcome refused = new Outcome.Failure(1, Errno.EPERM.number());
    Caller root = new Caller(0, 0, false, List.of(), true, 0, false, 0);
    assertTrue(reason(root, program, refused).contains("lacks CAP_SETFCAP"));
    Outcome bwrap = new Outcome.Other(1, "bwrap: setting up uid map: Operation not permitted");
    assertTrue(reason(root, program, bwrap).contains("lacks CAP_SETFCAP"));
    Caller user = new Caller(1000, 1000, false, List.of(), true, 0, false, 0);
    assertFalse(reason(user, program, refused).contains("CAP_SETFCAP"));
  }

  private static String reason(Caller caller, SyscallProgram program, Outcome outcome) {
    Assessment verdict = new Diagnosis(caller, () -> NOTHING).of(program, outcome);
    return assertInstanceOf(Assessment.Unusable.class, verdict).reason();
  }

  @Test
  void namesWhatCoversProc() {
    Evidence covered =
        new Evidence(
            Map.of(), false, false, Optional.empty(), false, List.of("/proc/kcore", "/proc/acpi"));
    Call proc = Steps.mountProc(OsString.of("proc"));
    Assessment.Unusable verdict = diagnose(2, covered, proc, Errno.EPERM);
    assertTrue(verdict.reason().endsWith("/proc/kcore, /proc/acpi"), verdict::reason);
    assertTrue(verdict.remedy().startsWith("pivot_root and chroot need none"), verdict::remedy);
    assertTrue(diagnose(2, NOTHING, proc, Errno.EPERM).reason().contains("seccomp filter"));
    assertTrue(diagnose(2, covered, MOUNT, Errno.EPERM).reason().contains("seccomp filter"));
  }

  @Test
  void knowsThatLandlockIsSwitchedOff() {
    Call landlock = Call.of(SystemCall.LANDLOCK_CREATE_RULESET);
    Assessment.Unusable verdict = diagnose(0, NOTHING, landlock, Errno.EOPNOTSUPP);
    assertTrue(verdict.remedy().contains("lsm="), verdict::remedy);
  }

  @Test
  void knowsTheSysctlOfDebian() {
    Evidence evidence =
        new Evidence(Map.of("user", "100"), true, false, Optional.empty(), false, List.of());
    Assessment.Unusable verdict = diagnose(0, evidence, UNSHARE, Errno.EPERM);
    assertTrue(verdict.reason().contains("unprivileged_userns_clone is 0"), verdict::reason);
  }

  @Test
  void knowsTheRestrictionOfUbuntu() {
    Evidence evidence =
        new Evidence(Map.of("user", "100"), false, true, Optional.empty(), false, List.of());
    Assessment.Unusable verdict = diagnose(0, evidence, MOUNT, Errno.EACCES);
    assertTrue(verdict.reason().contains("AppArmor"), verdict::reason);
    assertTrue(verdict.remedy().startsWith("install bubblewrap"), verdict::remedy);
  }

  @Test
  void blamesTheFilterWhereTheRestrictionWouldLetTheCallPass() {
    Evidence evidence =
        new Evidence(
            Map.of("user", "100"), false, true, Optional.of("docker (enforce)"), false, List.of());
    assertTrue(diagnose(2, evidence, UNSHARE, Errno.EPERM).reason().contains("seccomp filter"));
    assertTrue(diagnose(2, evidence, MOUNT, Errno.EPERM).reason().contains("AppArmor lets"));
  }

  @Test
  void namesTheProfileThatDeniesAMount() {
    Evidence evidence =
        new Evidence(
            Map.of("user", "100"), false, false, Optional.of("docker (enforce)"), false, List.of());
    Assessment.Unusable verdict = diagnose(2, evidence, MOUNT, Errno.EACCES);
    assertTrue(verdict.reason().contains("profile docker (enforce)"), verdict::reason);
    assertTrue(diagnose(2, evidence, MOUNT, Errno.EPERM).reason().contains("seccomp filter"));
  }

  @Test
  void knowsWhyBubblewrapMakesNoNamespace() {
    Evidence none =
        new Evidence(Map.of("user", "0"), false, false, Optional.empty(), false, List.of());
    Assessment.Unusable limit = ofBwrap(none, "bwrap: Creating new namespace failed: (ENOSPC)");
    assertTrue(limit.reason().endsWith("user.max_user_namespaces is 0"), limit::reason);
    assertTrue(limit.remedy().contains("sysctl user.max_user_namespaces"), limit::remedy);
    Evidence chroot =
        new Evidence(Map.of("user", "100"), false, false, Optional.empty(), true, List.of());
    Assessment.Unusable inside =
        ofBwrap(chroot, "bwrap: No permissions to create new namespace, likely because");
    assertTrue(inside.reason().contains("is in a chroot, and"), inside::reason);
  }

  @Test
  void doesNotAdviseBubblewrapWhereItFailsItself() {
    Evidence evidence =
        new Evidence(Map.of("user", "100"), false, true, Optional.empty(), false, List.of());
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
    Evidence evidence =
        new Evidence(Map.of("user", "100"), false, false, Optional.empty(), true, List.of());
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
