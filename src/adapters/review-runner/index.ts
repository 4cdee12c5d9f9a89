export { createReviewRunner, REVIEW_RUNNER_VERSION, type ReviewRunnerOptions } from './review-runner.ts'
export { askQuestion, unfenced } from './question.ts'
