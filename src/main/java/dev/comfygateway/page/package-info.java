/**
 * Web page at {@code /}, with the history of the last hour and the state of the gateway.
 * This package causes no request to the upstream.
 */
@NullMarked
package dev.comfygateway.page;

import org.jspecify.annotations.NullMarked;
