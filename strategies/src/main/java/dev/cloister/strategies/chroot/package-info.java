/** A new root by chroot(2), for hosts whose root cannot be pivoted. */
@NullMarked
package dev.cloister.strategies.chroot;

import org.jspecify.annotations.NullMarked;
