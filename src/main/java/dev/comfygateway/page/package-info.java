/**
 * Page for people, {@code /}, and what it shows beside the stream: the record of the last
 * hour and the state of the upstream. Nothing here causes a request to the upstream.
 */
@NullMarked
package dev.comfygateway.page;

import org.jspecify.annotations.NullMarked;
