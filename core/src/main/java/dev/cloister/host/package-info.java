/** What this host is and allows: facts that are read, and capabilities that are tried. */
@NullMarked
package dev.cloister.host;

import org.jspecify.annotations.NullMarked;
