/**
 * {@code /api/prompt} as callers see it. {@link dev.comfygateway.prompt.PromptController}
 * is all that the gateway needs; {@link dev.comfygateway.prompt.FreshAnswers} answers the
 * same faster if the answer is in memory. Both render by
 * {@link dev.comfygateway.prompt.PromptAnswers}.
 */
@NullMarked
package dev.comfygateway.prompt;

import org.jspecify.annotations.NullMarked;
