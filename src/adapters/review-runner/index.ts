export { createReviewRunner, REVIEW_RUNNER_VERSION, type ReviewRunnerOptions } from './review-runner.ts'
