package dev.cloister.benchmarks.report;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** {@code docs/performance.md}: what people wrote, and between two comments each, tables. */
public final class Page {
  private static final Pattern REGION =
      Pattern.compile("(<!-- table: ([\\w-]+) -->\n).*?(<!-- end -->\n)", Pattern.DOTALL);
  private static final String TARGETS = "targets";

  private Page() {}

  /**
   * The page with its tables made anew.
   *
   * @param all the sets by their names; the table of one that is not among them stays
   */
  public static String update(String page, Map<String, Results> all) {
    return REGION.matcher(page).replaceAll(match -> Matcher.quoteReplacement(region(match, all)));
  }

  private static String region(MatchResult match, Map<String, Results> all) {
    String name = match.group(2);
    if (name.equals(TARGETS)) {
      return match.group(1) + Targets.table(all) + match.group(3);
    }
    Results results = all.get(name);
    return results == null ? match.group() : match.group(1) + Tables.of(results) + match.group(3);
  }

  /** All sets in a directory, by their names. */
  public static Map<String, Results> read(Path directory) throws IOException {
    Map<String, Results> all = new TreeMap<>();
    try (DirectoryStream<Path> files = Files.newDirectoryStream(directory, "*.json")) {
      for (Path file : files) {
        Results results = ResultsJson.read(Files.readString(file));
        all.put(results.set(), results);
      }
    }
    return all;
  }

  /**
   * {@code PAGE DIRECTORY OUTPUT}: writes charts into the directory that results are in, and the
   * page with their tables to a file.
   */
  public static void main(String[] arguments) throws IOException {
    String page = Files.readString(Path.of(arguments[0]));
    Path directory = Path.of(arguments[1]);
    Map<String, Results> all = read(directory);
    Charts.write(all, directory);
    Files.writeString(Path.of(arguments[2]), update(page, all));
  }
}
