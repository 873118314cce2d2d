/** Tests of the image, in a container engine. */
@NullMarked
package dev.comfygateway.container;

import org.jspecify.annotations.NullMarked;
