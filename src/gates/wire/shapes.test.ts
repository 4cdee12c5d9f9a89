import { pinShapes } from '../../../test/helpers/shapes.ts'
import * as wire from './index.ts'

pinShapes('wire', wire)
