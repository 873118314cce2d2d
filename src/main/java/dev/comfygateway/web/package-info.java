/**
 * {@code /api/prompt} as callers see it: what they may ask, and how an answer is dressed
 * in headers.
 */
@NullMarked
package dev.comfygateway.web;

import org.jspecify.annotations.NullMarked;
