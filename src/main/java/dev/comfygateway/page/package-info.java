/**
 * Page for people at {@code /}, with the record of the last hour and the state of the
 * gateway. Nothing here causes a request to the upstream.
 */
@NullMarked
package dev.comfygateway.page;

import org.jspecify.annotations.NullMarked;
