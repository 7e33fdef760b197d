package dev.cloister.strategies;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.cloister.spec.MountOperation.Access;
import dev.cloister.spec.SandboxSpec;
import dev.cloister.strategies.Run.Ended;
import dev.cloister.strategies.pivotroot.PivotRoot;

class PivotRootTest extends StrategyContract {
  PivotRootTest() {
    super(new PivotRoot());
  }

  /** Else {@link OlderKernelTest} would show nothing. */
  @EachUser
  void plainPlansFailOnOlderKernels(User user) throws Exception {
    SandboxSpec spec =
        hostPrograms(user)
            .mount(bind(folder(user, "source"), "/usr/share", Access.READ_ONLY))
            .build();
    for (int call :
        new int[] {
          OlderKernel.OPEN_TREE,
          OlderKernel.MOVE_MOUNT,
          OlderKernel.OPENAT2,
          OlderKernel.MOUNT_SETATTR
        }) {
      Ended ended =
          sandbox(user, spec, "true").through(OlderKernel.without(OlderKernel.ENOSYS, call)).end();
      assertEquals(125, ended.status(), call + ": " + ended);
      assertTrue(ended.error().contains("ENOSYS"), ended.error());
    }
  }
}
