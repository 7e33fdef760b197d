/** The preferred strategy: a new root by pivot_root(2), the old one unmounted. */
@NullMarked
package dev.cloister.strategies.pivotroot;

import org.jspecify.annotations.NullMarked;
