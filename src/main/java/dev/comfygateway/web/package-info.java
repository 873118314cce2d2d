/**
 * {@code /api/prompt} as callers see it. {@link dev.comfygateway.web.PromptController} is
 * all that the gateway needs; {@link dev.comfygateway.web.FreshAnswers} answers the same
 * faster if the answer is in memory. Both render by
 * {@link dev.comfygateway.web.PromptAnswers}.
 */
@NullMarked
package dev.comfygateway.web;

import org.jspecify.annotations.NullMarked;
