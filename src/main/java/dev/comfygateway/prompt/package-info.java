/**
 * Endpoint {@code /api/prompt}. {@link dev.comfygateway.prompt.PromptController} can
 * handle every request, on a thread. {@link dev.comfygateway.prompt.PromptAccelerator} is
 * an accelerator in front of it, for requests that need no feature of Spring MVC. Both
 * use {@link dev.comfygateway.prompt.PromptRenderer} for rendering.
 */
@NullMarked
package dev.comfygateway.prompt;

import org.jspecify.annotations.NullMarked;
