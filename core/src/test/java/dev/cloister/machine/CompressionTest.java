package dev.cloister.machine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.cloister.ffm.Architecture;
import dev.cloister.ffm.SystemCall;
import dev.cloister.fixture.Cases;
import dev.cloister.fixture.Execution;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is packed, as the machine code unpacks it. */
class CompressionTest {
  private static final int EXECUTED = 40;

  @TempDir Path directory;

  /** A launcher that unpacks its rare constants and writes them to standard output. */
  private byte[] roundTrip(byte[] bytes) throws IOException {
    X86_64Assembler asm = new X86_64Assembler();
    Data data = new Data();
    Label unpack = new Label();
    Label rare = data.rare(bytes);
    asm.call(unpack);
    asm.set(Register.A0, 1);
    asm.address(Register.A1, rare);
    asm.set(Register.A2, bytes.length);
    asm.systemCall(SystemCall.WRITE.number(Architecture.X86_64));
    asm.set(Register.A0, 0);
    asm.systemCall(SystemCall.EXIT_GROUP.number(Architecture.X86_64));
    new Unpacking(asm).write(unpack, data.pack(), data.rareStart(), data.rare(new byte[0]));
    ElfImage image =
        ElfImage.link(
            Architecture.X86_64, asm.finish(/* small= */ true), data, LauncherNote.of("test"));
    Path file = Launcher.write(directory, image);
    Execution.Ended ended = Execution.of(file).end();
    Files.delete(file);
    assertEquals(0, ended.exit());
    return ended.output();
  }

  /** The same by what the format says, so that many cases need no processes. */
  private static byte[] unpack(byte[] packed, int size) {
    Reader reader = new Reader(packed);
    byte[] out = new byte[size];
    int biased = 0;
    int at = 0;
    while (at < size) {
      if (reader.bit() == 0) {
        out[at++] = (byte) reader.whole();
        continue;
      }
      if (reader.bit() == 0) {
        int high = reader.gamma();
        biased = (high << 8) + reader.whole();
      }
      int distance = biased - Compression.DISTANCE_BIAS;
      for (int length = reader.gamma() + 1; length > 0; length--, at++) {
        out[at] = out[at - distance];
      }
    }
    assertEquals(packed.length, reader.position, "all of it is read");
    return out;
  }

  private static final class Reader {
    private final byte[] packed;
    private int position;
    private int bits = 1;

    Reader(byte[] packed) {
      this.packed = packed;
    }

    int whole() {
      return packed[position++] & 0xff;
    }

    int bit() {
      if (bits == 1) {
        bits = whole() + 0x100;
      }
      int bit = bits & 1;
      bits >>= 1;
      return bit;
    }

    int gamma() {
      int value = 1;
      while (bit() == 1) {
        value = 2 * value + bit();
      }
      return value;
    }
  }

  /** Repetitions near and far, overlapping ones, and bytes that nothing repeats. */
  private static byte[] bytes(Random random) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    int parts = random.nextInt(40);
    for (int i = 0; i < parts; i++) {
      byte[] before = out.toByteArray();
      byte[] fresh = new byte[random.nextInt(random.nextInt(4) == 0 ? 3000 : 20)];
      random.nextBytes(fresh);
      out.writeBytes(fresh);
      if (before.length > 0) {
        int start = random.nextInt(before.length);
        int length = random.nextInt(Math.min(before.length - start, 1500) + 1);
        out.write(before, start, length);
      }
      if (random.nextInt(4) == 0) {
        out.writeBytes(new byte[random.nextInt(2000)]);
      }
    }
    return out.toByteArray();
  }

  @Test
  void everythingComesBack() throws Exception {
    Cases.check(
        "packed bytes",
        500,
        CompressionTest::bytes,
        _ -> List.of(),
        bytes -> assertArrayEquals(bytes, unpack(Compression.compress(bytes), bytes.length)));
  }

  @Test
  void theProcessorUnpacksTheSame() throws Exception {
    for (int i = 0; i < Cases.times(EXECUTED); i++) {
      byte[] bytes = bytes(Cases.random("unpacked bytes", i));
      assertArrayEquals(bytes, roundTrip(bytes), "case " + i);
    }
  }

  /** Both sides of every border of the format. */
  @Test
  void lengthsAndDistancesAtTheBorders() throws Exception {
    for (int distance : new int[] {1, 2, 3, 255, 256, 257, 511, 512, 513, 65_535, 65_536, 65_537}) {
      for (int length : new int[] {1, 2, 3, 4, 5, 64, 65, 127, 128, 129, 130, 257}) {
        byte[] bytes = new byte[distance + length];
        new Random(distance).nextBytes(bytes);
        for (int i = distance; i < bytes.length; i++) {
          bytes[i] = bytes[i - distance];
        }
        assertArrayEquals(bytes, unpack(Compression.compress(bytes), bytes.length));
      }
    }
    assertArrayEquals(new byte[0], roundTrip(new byte[0]));
    assertArrayEquals(new byte[] {1}, roundTrip(new byte[] {1}));
    assertArrayEquals(new byte[70_000], roundTrip(new byte[70_000]));
  }

  @Test
  void textsOfMessagesBecomeLessThanAThird() {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < 80; i++) {
      text.append("cloister: step ").append(i).append(": mount(\"/").append(i * i).append("\")\n");
    }
    byte[] bytes = text.toString().getBytes(StandardCharsets.US_ASCII);
    int size = Compression.compress(bytes).length;
    assertTrue(size < bytes.length / 3, size + " of " + bytes.length);
  }
}
