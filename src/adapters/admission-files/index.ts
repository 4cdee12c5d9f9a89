export { createAdmission, type CreatedAdmission } from './create-admission.ts'
export { type AdmissionRow, listAdmissions } from './list-admissions.ts'
export { ADMISSIONS_DIRECTORY, readAdmissionFile, readAdmissions } from './read-admissions.ts'
