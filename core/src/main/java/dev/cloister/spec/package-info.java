/** What a sandbox should be: mounts, namespaces, identity and environment, as immutable data. */
@NullMarked
package dev.cloister.spec;

import org.jspecify.annotations.NullMarked;
