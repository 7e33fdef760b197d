package dev.cloister.sandbox;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.cloister.ffm.Errno;
import dev.cloister.sandbox.SandboxException.Failure;
import dev.cloister.sandbox.SandboxException.Phase;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

class SandboxExceptionTest {
  @Test
  void oneThatWasSerializedHasItsMessageAndPhase() throws Exception {
    Failure failure =
        new Failure(
            OptionalInt.of(7),
            Optional.of("chdir()"),
            Optional.of(Errno.ENOENT),
            Optional.of("make it"));
    SandboxException e = new SandboxException(Phase.SET_UP, "what failed", failure);
    assertEquals(OptionalInt.of(7), e.step());
    SandboxException copy = copy(e);
    assertEquals("what failed", copy.getMessage());
    assertEquals(Phase.SET_UP, copy.phase());
    assertEquals(OptionalInt.empty(), copy.step());
    assertEquals(Optional.empty(), copy.call());
    assertEquals(Optional.empty(), copy.errno());
    assertEquals(Optional.empty(), copy.hint());
  }

  private static SandboxException copy(SandboxException e) throws Exception {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ObjectOutputStream output = new ObjectOutputStream(bytes)) {
      output.writeObject(e);
    }
    try (ObjectInputStream input =
        new ObjectInputStream(new ByteArrayInputStream(bytes.toByteArray()))) {
      return (SandboxException) input.readObject();
    }
  }
}
