package dev.cloister.examples.judge;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import org.jspecify.annotations.Nullable;

/** A directory of one submission's, with its source; removed in the end. */
final class WorkDirectory implements AutoCloseable {
  private final Path closed;
  private final Path open;

  private WorkDirectory(Path closed) {
    this.closed = closed;
    this.open = closed.resolve("work");
  }

  /**
   * Copies the source. Whoever the sandbox runs as can write to the directory; on the host nobody
   * else gets there, because the one above it is closed to all but this program's user.
   */
  static WorkDirectory of(Submission submission) throws IOException {
    WorkDirectory directory = new WorkDirectory(Files.createTempDirectory("judge"));
    try {
      Path open = Files.createDirectory(directory.open);
      Files.setPosixFilePermissions(open, PosixFilePermissions.fromString("rwxrwxrwx"));
      Path source = open.resolve(submission.language().fileName());
      Files.copy(submission.source(), source);
      Files.setPosixFilePermissions(source, PosixFilePermissions.fromString("rw-r--r--"));
      return directory;
    } catch (IOException e) {
      directory.close();
      throw e;
    }
  }

  /** What is to be shown in the sandbox. */
  Path path() {
    return open;
  }

  @Override
  public void close() throws IOException {
    Files.walkFileTree(closed, new Deletion());
  }

  /** Follows no symbolic link. */
  private static final class Deletion extends SimpleFileVisitor<Path> {
    @Override
    public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
      Files.delete(file);
      return FileVisitResult.CONTINUE;
    }

    @Override
    public FileVisitResult postVisitDirectory(Path directory, @Nullable IOException e)
        throws IOException {
      if (e != null) {
        throw e;
      }
      Files.delete(directory);
      return FileVisitResult.CONTINUE;
    }
  }
}
